"""Labelled images: folders a class, or a flat folder with a list."""

from __future__ import annotations

import pytest
from PIL import Image

from ghostdeploy.errors import UsageError
from ghostdeploy.images.labelled import read_labelled


@pytest.fixture
def flat(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def folders(tmp_path):
    for name in ("dog", "cat"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "1.png")
    return tmp_path


def test_folders_are_classes_in_alphabetical_order(folders):
    found = read_labelled(folders)
    assert found.classes == ("cat", "dog")
    assert [(p.parent.name, n) for p, n in zip(found.files, found.labels, strict=True)] == [
        ("cat", 0),
        ("dog", 1),
    ]


def test_a_list_gives_the_models_order(folders):
    assert read_labelled(folders, ("dog", "bird", "cat")).labels == (2, 0)


def test_a_folder_that_is_no_class_is_named(folders):
    with pytest.raises(UsageError, match="'cat' is no class of the list"):
        read_labelled(folders, ("dog", "bird"))


def test_a_flat_folder_needs_a_list(flat):
    with pytest.raises(UsageError, match="--truth FILE"):
        read_labelled(flat)


@pytest.mark.parametrize("text", ["b.png 0\na.png 2\nc.png 1\n", "2\n0\n1\n"])
def test_a_list_by_name_or_as_imagenets_by_order(flat, tmp_path, text):
    truth = tmp_path / "truth.txt"
    truth.write_text(text)
    assert read_labelled(flat, (), truth).labels == (2, 0, 1)


def test_a_list_of_class_names(flat, tmp_path):
    truth = tmp_path / "truth.txt"
    truth.write_text("a.png x\nb.png y\nc.png x\n")
    assert read_labelled(flat, ("y", "x"), truth).labels == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1\n2\n", "2 lines for 3 images"),
        ("a.png 0\nb.png 1\n", "no class number or known class for c.png"),
        ("a.png 0\nb.png 1\nc.png wolf\n", "for c.png"),
        ("", "is empty"),
    ],
)
def test_a_list_that_does_not_fit(flat, tmp_path, text, complaint):
    truth = tmp_path / "truth.txt"
    truth.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_labelled(flat, (), truth)
