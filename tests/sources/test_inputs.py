"""What a network takes, as it is typed, declared and settled."""

from __future__ import annotations

import pytest
import torch

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import InputSpec
from ghostdeploy.sources.inputs import declared_inputs, settle_inputs
from ghostdeploy.sources.reference import NetworkReference, OwnNetwork

REFERENCE = NetworkReference("file", "net.py", "build")


@pytest.mark.parametrize(
    ("text", "shape", "dtype", "name"),
    [
        ("1x3x224x224", (1, 3, 224, 224), "float32", ""),
        ("1x128:int64", (1, 128), "int64", ""),
        ("1x128:int64:tokens", (1, 128), "int64", "tokens"),
        ("1x128::tokens", (1, 128), "float32", "tokens"),
        ("1x3x8x8:image", (1, 3, 8, 8), "float32", "image"),
        ("1x3x8x8:float32:x:0", (1, 3, 8, 8), "float32", "x:0"),
    ],
)
def test_an_input_is_typed(text, shape, dtype, name):
    assert InputSpec.parse(text) == InputSpec(shape, dtype, name)


@pytest.mark.parametrize(
    "text", ["", "x", "1x3x-2", "0x3", "1x3xa", "1,3,224", "1x3:float16:x", "99999x99999x9999"]
)
def test_what_is_no_input(text):
    with pytest.raises(UsageError):
        InputSpec.parse(text)


@pytest.mark.parametrize(
    ("example", "shapes"),
    [
        ((1, 3, 32, 32), [(1, 3, 32, 32)]),
        (torch.zeros(1, 3, 8, 8), [(1, 3, 8, 8)]),
        ((torch.zeros(1, 3, 8, 8), torch.zeros(1, 4, dtype=torch.int64)), [(1, 3, 8, 8), (1, 4)]),
        ({"x": torch.zeros(1, 5)}, [(1, 5)]),
        ("1x3x9x9", [(1, 3, 9, 9)]),
        (["1x3x9x9", "1x4:int64:ids"], [(1, 3, 9, 9), (1, 4)]),
        (None, [(1, 3, 224, 224)]),
    ],
)
def test_examples_in_every_form(example, shapes):
    assert [each.shape for each in declared_inputs(REFERENCE, example)] == shapes


def test_what_is_asked_for_goes_before_the_example():
    asked = (InputSpec((1, 3, 40, 40)),)
    found = declared_inputs(
        NetworkReference("file", "net.py", "build", OwnNetwork(asked)), (1, 3, 8, 8)
    )
    assert found == asked
    sized = NetworkReference("file", "net.py", "build", resolution=(48, 64))
    assert declared_inputs(sized, (1, 3, 8, 8))[0].shape == (1, 3, 48, 64)


def test_half_precision_examples_are_fed_in_float32():
    (found,) = declared_inputs(REFERENCE, torch.zeros(1, 3, 8, 8, dtype=torch.float16))
    assert found.dtype == "float32"


def test_inputs_are_put_into_forwards_order():
    ids, x = InputSpec((1, 4), "int64", "ids"), InputSpec((1, 3, 8, 8))
    settled = settle_inputs((ids, x), {"x": True, "ids": True, "scale": False}, REFERENCE)
    assert [each.name for each in settled] == ["x", "ids"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((InputSpec((1, 3, 8, 8)),), "say what ids is with --input SHAPE:TYPE:ids"),
        ((InputSpec((2, 3, 8, 8)), InputSpec((1, 4), "int64", "ids")), "a batch of 2"),
        ((InputSpec((1, 3)),) * 3, "3 inputs are too many"),
    ],
)
def test_inputs_that_do_not_fit(given, said):
    with pytest.raises(UsageError, match=said):
        settle_inputs(given, {"x": True, "ids": True}, REFERENCE)
