"""Makes android_bench/session/selftest.tflite: y = relu(x + c).

``python -m tests.android_bench.session.selftest_model`` writes it anew.
"""

from __future__ import annotations

import numpy as np

from android_bench.session.selftest import MODEL, SIZE, C
from ghostdeploy import flatbuffer


def selftest_model() -> bytes:
    s = flatbuffer.schema()
    model, graph = s.ModelT(), s.SubGraphT()
    model.version, model.description = 3, b"y = relu(x + c)"
    values = s.BufferT()
    values.data = np.frombuffer(np.float32([C]).tobytes(), np.uint8)
    model.buffers = [s.BufferT(), values]
    graph.tensors = [_tensor(s, *row) for row in ((b"x", 0, SIZE), (b"c", 1, 1), (b"y", 0, SIZE))]
    graph.inputs, graph.outputs = np.array([0], np.int32), np.array([2], np.int32)
    code = s.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = s.BuiltinOperator.ADD
    code.version = 1
    model.operatorCodes = [code]
    add = s.OperatorT()
    add.inputs, add.outputs = np.array([0, 1], np.int32), np.array([2], np.int32)
    add.builtinOptionsType, add.builtinOptions = s.BuiltinOptions.AddOptions, s.AddOptionsT()
    add.builtinOptions.fusedActivationFunction = s.ActivationFunctionType.RELU
    graph.operators = [add]
    model.subgraphs = [graph]
    return flatbuffer.dump(model)


def _tensor(s, name: bytes, buffer: int, size: int):
    tensor = s.TensorT()
    tensor.name, tensor.shape = name, np.array([size], np.int32)
    tensor.type, tensor.buffer = s.TensorType.FLOAT32, buffer
    return tensor


if __name__ == "__main__":
    MODEL.write_bytes(selftest_model())
