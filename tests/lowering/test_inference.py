"""Models of others in their runtimes: what is spoken to, and what a refusal says."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.lowering.inference import load_onnx, load_tflite, load_tflite_layers
from tests import small_models
from tests.lowering.rewrites.graphs import IMAGE, loop, table, two_signatures
from tests.lowering.rewrites.tiny import tiny

PICTURE = np.random.RandomState(0).uniform(-2, 2, IMAGE).astype(np.float32).transpose(0, 3, 1, 2)


def unknown_operator() -> bytes:
    t = tiny()
    a, b = t.tensor(IMAGE), t.tensor(IMAGE)
    t.op("TANH", [a], [b])
    t.model.operatorCodes[0].version = 99
    return t.bytes(a, b)


@pytest.mark.parametrize("swapped", [False, True])
def test_of_several_signatures_the_first_graph_speaks(swapped: bool) -> None:
    (found,) = load_tflite(two_signatures(swapped=swapped))(PICTURE).values()
    np.testing.assert_array_equal(found, PICTURE.clip(0, 1))


def test_the_tensors_of_a_loop_are_those_of_the_main_graph() -> None:
    found = load_tflite_layers(loop())(PICTURE)
    assert len(found) == 2
    clipped = next(v for v in found.values() if v.ndim == 4)
    np.testing.assert_array_equal(clipped.transpose(0, 3, 1, 2), PICTURE.clip(0, 1))


@pytest.mark.parametrize("load", [load_tflite, load_tflite_layers])
def test_litert_gives_its_reason(load) -> None:
    with pytest.raises(InputFileError, match=r"^LiteRT cannot run m\.tflite: .*TANH.*'99'"):
        load(unknown_operator(), name="m.tflite")
    with pytest.raises(InputFileError, match="it takes 2 inputs, not one image"):
        load(table())(PICTURE)


def test_onnxruntime_gives_its_reason_to_the_last_word() -> None:
    model = onnx.load_from_string(small_models.onnx())
    (output,) = (value.name for value in model.graph.output)
    run = load_onnx(model.SerializeToString(), [output], name="m.onnx")
    with pytest.raises(InputFileError, match=r"^onnxruntime cannot run m\.onnx: .*rank"):
        run(np.zeros((1, 3), np.float32))
    model.ir_version = 99
    with pytest.raises(InputFileError, match=r"IR version: 99, max supported IR version: \d+$"):
        load_onnx(model.SerializeToString(), [output])
