"""Models opened and filled by each runtime's opener, as a launch's child does it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ghostdeploy.random_inputs import INTEGER_RANGES
from ghostdeploy.runners.host.openers import (
    numpy_type_of,
    open_tflite,
    seed_generator,
)
from tests import small_models

numpy = pytest.importorskip("numpy")


def tflite_interpreter(name: str, tmp_path: Path, seed: int = 0):
    """A filled interpreter, by the child's own code."""
    from ai_edge_litert import interpreter as module

    path = tmp_path / "m.tflite"
    path.write_bytes(small_models.tflite(name))
    made = []

    def make(**arguments):
        made.append(module.Interpreter(**arguments))
        return made[0]

    runtime = SimpleNamespace(Interpreter=make, OpResolverType=module.OpResolverType)
    opened = open_tflite(runtime, str(path), 1, True)
    opened.fill(seed_generator(seed), None, INTEGER_RANGES[0])
    return made[0]


def inputs_of(interpreter) -> dict:
    return {
        d["name"].rsplit("_", 1)[-1].split(":")[0]: interpreter.get_tensor(d["index"])
        for d in interpreter.get_input_details()
    }


def test_all_inputs_are_filled_the_same_way_for_the_same_seed(tmp_path):
    first = inputs_of(tflite_interpreter("tiny", tmp_path))["image"]
    again = inputs_of(tflite_interpreter("tiny", tmp_path))["image"]
    other = inputs_of(tflite_interpreter("tiny", tmp_path, seed=1))["image"]
    assert (first == again).all()
    assert (first != other).any()
    assert 0 <= first.min() < 0.1 < 0.9 < first.max() <= 1
    mixed = inputs_of(tflite_interpreter("mixed", tmp_path))
    assert {v.dtype.name for v in mixed.values()} == {"float32", "uint8", "int64", "bool"}
    assert all(v.any() for k, v in mixed.items() if k != "flag")


def test_numpy_has_most_of_onnxs_types():
    assert numpy_type_of("tensor(float)") is numpy.float32
    assert numpy_type_of("tensor(double)") is numpy.float64
    assert numpy_type_of("tensor(uint8)") is numpy.uint8
    with pytest.raises(ValueError, match=r"type seq\(tensor\(float\)\) cannot"):
        numpy_type_of("seq(tensor(float))")
