"""One way to open a model: from its content or its path, on XNNPACK or on the builtin kernels."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ghostdeploy.errors import MissingExtraError
from ghostdeploy.litert import open_interpreter, operators_of
from tests.export.rewrites.tiny import tiny


def relu_and_tanh() -> bytes:
    t = tiny()
    a, b, c = (t.tensor((1, 2, 2, 1)) for _ in range(3))
    t.op("RELU", [a], [b])
    t.op("TANH", [b], [c])
    return t.bytes(a, c)


IMAGE = np.array([-1.0, 0.5, 2.0, -3.0], np.float32).reshape(1, 2, 2, 1)


@pytest.mark.parametrize("from_path", [False, True])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_a_model_runs(tmp_path, from_path, xnnpack):
    path = tmp_path / "model.tflite"
    path.write_bytes(relu_and_tanh())
    model = path if from_path else path.read_bytes()
    interpreter = open_interpreter(model, threads=1, xnnpack=xnnpack)
    interpreter.allocate_tensors()
    ((given,), (taken,)) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(given["index"], IMAGE)
    interpreter.invoke()
    got = interpreter.get_tensor(taken["index"])
    np.testing.assert_allclose(got, np.tanh(np.maximum(IMAGE, 0)), atol=1e-5)
    kinds = [op["op_name"] for op in operators_of(interpreter)]
    assert ("DELEGATE" in kinds) == xnnpack


def test_inner_tensors_are_kept_where_asked():
    interpreter = open_interpreter(relu_and_tanh(), threads=1, xnnpack=False, keep_tensors=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], IMAGE)
    interpreter.invoke()
    (inner,) = (int(op["outputs"][0]) for op in operators_of(interpreter)[:1])
    np.testing.assert_array_equal(interpreter.get_tensor(inner), np.maximum(IMAGE, 0))


def test_without_litert_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtraError) as missing:
        open_interpreter(b"", threads=1)
    assert "ai-edge-litert" in str(missing.value)
