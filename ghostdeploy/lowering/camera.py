"""A uint8 input in front of an int8 model: camera frames as they are, scale 1, zero point 0."""

from __future__ import annotations

import copy

import numpy as np

from ghostdeploy.errors import ConversionError
from ghostdeploy.flatbuffer import ModelT, schema, tensor_name
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
    builder = GraphBuilder(model, graph)
    shift = builder.make_operator(
        "QUANTIZE", [outer], inner, schema().QuantizeOptionsT(), version=2
    )
    graph.operators = [shift, *graph.operators]
    graph.inputs = np.array([outer], np.int32)
    outputs = [tensor_name(graph.tensors[int(i)]) for i in graph.outputs]
    tidy.set_signature(model, (name,), outputs)
