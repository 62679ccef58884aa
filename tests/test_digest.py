"""One digest for every file."""

from __future__ import annotations

import hashlib

import pytest

from ghostdeploy.digest import CHUNK_BYTES, file_sha256
from ghostdeploy.errors import InputFileError


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 7])
def test_it_is_the_files_sha256_however_many_pieces_it_is_read_in(tmp_path, size):
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    (tmp_path / "f").write_bytes(data)
    assert file_sha256(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_what_cannot_be_read_is_named_in_one_line(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputFileError, match=r"^[^\n]+: (is a folder|there is no such file)$"):
            file_sha256(path)
