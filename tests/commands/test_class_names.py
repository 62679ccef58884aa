"""Class names as a user writes them."""

from __future__ import annotations

import pytest

from ghostdeploy.commands.class_names import read_class_names
from ghostdeploy.errors import InputFileError


@pytest.mark.parametrize(
    ("content", "labels"),
    [("a\nb\n", ("a", "b")), ("  a\nb b  \n\n \n", ("a", "b b")), ("å\r\nβ", ("å", "β"))],
)
def test_labels(tmp_path, content, labels):
    path = tmp_path / "labels.txt"
    path.write_bytes(content.encode())
    assert read_class_names(path) == labels


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a\n\nb\n", b"\xff\xfe\x00a"])
def test_bad_labels(tmp_path, content):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"labels\.txt"):
        read_class_names(path)
