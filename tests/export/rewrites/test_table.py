"""Every row of the table of rewrites keeps its promise."""

from importlib import import_module

import pytest

from ghostdeploy.export.rewrites import REWRITES, apply_rewrites
from tests.export.rewrites.tiny import flatbuffer, ops, tiny


@pytest.mark.parametrize("name", REWRITES)
def test_a_row(name):
    module = import_module(REWRITES[name])
    assert module.__doc__.startswith(f"{name}: ")
    assert "\nWhat: " in module.__doc__
    assert "\nWhy: " in module.__doc__
    assert isinstance(module.KEEPS_FUNCTION, bool)
    # A rewrite that keeps the function says how exactly it does.
    assert ("\nExact: " in module.__doc__) == module.KEEPS_FUNCTION


def test_a_graph_without_anything_to_do_is_left_alone():
    t = tiny()
    source, target = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    t.op("RELU", [source], [target])
    data = t.bytes(source, target)
    model = flatbuffer.load(data, "tiny")
    assert apply_rewrites(model) == {}
    assert ops(flatbuffer.dump(model)) == ["RELU"]


def test_only_the_named_ones_are_applied():
    t = tiny()
    source, target = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    t.op("RELU_0_TO_1", [source], [target])
    model = flatbuffer.load(t.bytes(source, target), "tiny")
    assert apply_rewrites(model, ("pad-same",)) == {}
    assert apply_rewrites(model, ("clip-relu",)) == {"clip-relu": 1}
