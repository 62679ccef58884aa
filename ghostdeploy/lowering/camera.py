"""uint8 in front of an int8 model, camera frames as they are, and uint8 behind it."""

from __future__ import annotations

import copy

import numpy as np

from ghostdeploy.errors import ConversionError
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema, tensor_name
from ghostdeploy.lowering import tidy
from ghostdeploy.lowering.rewrites.build import GraphBuilder, scaling

SHIFT = 128  # int8's zero point of a byte whose scale is 1


def take_bytes(model: ModelT) -> None:
    """Make a ``ModelT`` (int8, one input of scale 1, zero point −128) take uint8 [1, H, W, 3].

    A QUANTIZE in front moves the zero point; no value is rounded. Raises ConversionError for
    another input, whose bytes would not be a camera's.
    """
    graph = model.subgraphs[0]
    inner = int(graph.inputs[0])
    tensor = graph.tensors[inner]
    scales, zero_points = scaling(tensor)
    if not np.allclose(scales, 1.0, rtol=1e-5) or zero_points[0] != -SHIFT:
        raise ConversionError("the int8 input is not a byte minus 128")
    assert tensor.quantization is not None
    tensor.quantization.scale = np.ones(1, np.float32)
    frame = copy.deepcopy(tensor)
    frame.type = schema().TensorType.UINT8
    assert frame.quantization is not None
    frame.quantization.zeroPoint = np.zeros(1, np.int64)
    name = tensor_name(tensor)
    tensor.name = f"{name}/int8".encode()
    graph.tensors.append(frame)
    outer = len(graph.tensors) - 1
    graph.operators = [_shift(model, outer, inner), *graph.operators]
    graph.inputs = np.array([outer], np.int32)
    outputs = [tensor_name(graph.tensors[int(i)]) for i in graph.outputs]
    tidy.set_signature(model, (name,), outputs)


def give_bytes(model: ModelT) -> None:
    """Make a ``ModelT`` of one int8 output give uint8: the same values, the zero point 128 higher.

    An output in float stays as it is.
    """
    graph = model.subgraphs[0]
    inner = int(graph.outputs[0])
    tensor = graph.tensors[inner]
    if tensor.type != schema().TensorType.INT8:
        return
    given = copy.deepcopy(tensor)
    given.type = schema().TensorType.UINT8
    assert given.quantization is not None
    given.quantization.zeroPoint = np.asarray(scaling(tensor)[1], np.int64) + SHIFT
    name = tensor_name(tensor)
    tensor.name = f"{name}/int8".encode()
    graph.tensors.append(given)
    outer = len(graph.tensors) - 1
    graph.operators = [*graph.operators, _shift(model, inner, outer)]
    graph.outputs = np.array([outer], np.int32)
    tidy.set_signature(model, (tensor_name(graph.tensors[int(graph.inputs[0])]),), [name])


def _shift(model: ModelT, source: int, target: int) -> OperatorT:
    """Return the QUANTIZE that moves the zero point alone."""
    builder = GraphBuilder(model, model.subgraphs[0])
    options = schema().QuantizeOptionsT()
    return builder.make_operator("QUANTIZE", [source], target, options, version=2)
