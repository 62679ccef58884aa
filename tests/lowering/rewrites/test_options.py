"""Operators without options, and with another one's."""

from __future__ import annotations

import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.flatbuffer import schema
from ghostdeploy.lowering.rewrites import apply_rewrites
from ghostdeploy.lowering.rewrites.options import CLASSES
from tests.lowering.rewrites.tiny import S, tiny


def model(options):
    t = tiny()
    a, b = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    t.op("ADD", [a, a], [b])
    made = flatbuffer.load(t.bytes(a, b), "here")
    op = made.subgraphs[0].operators[0]
    op.builtinOptions = options
    union = type(options).__name__.removesuffix("T") if options else "NONE"
    op.builtinOptionsType = getattr(S.BuiltinOptions, union)
    return flatbuffer.load(flatbuffer.dump(made), "there")


def test_none_are_the_default_ones():
    made = model(None)
    assert made.subgraphs[0].operators[0].builtinOptions is None
    assert apply_rewrites(made) == {}
    assert type(made.subgraphs[0].operators[0].builtinOptions) is S.AddOptionsT


def test_another_operators_are_damage():
    with pytest.raises(InputFileError, match="its ADD has the options of another"):
        apply_rewrites(model(S.Conv2DOptionsT()))


def test_every_row_is_in_the_schema():
    for kind, name in CLASSES.items():
        assert hasattr(schema().BuiltinOperator, kind)
        assert hasattr(schema(), f"{name}T")
        assert hasattr(schema().BuiltinOptions, name)
