"""What a network that is not the zoo's is called, and what it says it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import ForeignSpec, InputSpec, Normalization

IMAGE = InputSpec((1, 3, 48, 64), name="x")
SPEC = ForeignSpec("net.py:build", (IMAGE,), ("logits",), ((1, 5),), "0123456789abcdef")


@pytest.mark.parametrize(
    ("source", "title", "name"),
    [
        ("net.py:build", "net", "net_48x64_01234567"),
        ("net.py:make", "make", "make_48x64_01234567"),
        ("timm:resnet18.a1_in1k", "resnet18.a1_in1k", "resnet18.a1_in1k_48x64_01234567"),
        ("program.pt2", "program", "program_48x64_01234567"),
        ("my.onnx", "my", "my_48x64_01234567"),
        ("a b/ü.onnx", "a b/ü", "a-b_48x64_01234567"),
    ],
)
def test_a_name_is_safe_and_says_which_network(source, title, name):
    spec = replace(SPEC, source=source)
    assert (spec.title, spec.name) == (title, name)


def test_pixels_are_never_guessed():
    with pytest.raises(UsageError, match="int8 needs; tell it with --mean and --std"):
        SPEC.required_normalization("int8")
    known = Normalization((0.5,) * 3, (0.5,) * 3)
    assert replace(SPEC, normalization=known).required_normalization("int8") is known


def test_only_one_image_has_a_resolution():
    assert SPEC.resolution == (48, 64)
    words = InputSpec((1, 7), "int64", "words")
    for inputs in ((words,), (IMAGE, words), (InputSpec((1, 1, 8, 8)),)):
        spec = replace(SPEC, inputs=inputs)
        assert not spec.takes_image
        with pytest.raises(UsageError, match="not one RGB image"):
            assert spec.resolution


@pytest.mark.parametrize(
    ("shapes", "classes"), [(((1, 5),), 5), (((1, 5, 8, 8),), None), (((1, 5), (1, 5)), None)]
)
def test_classes_are_those_of_one_output(shapes, classes):
    assert replace(SPEC, output_shapes=shapes).num_classes == classes
