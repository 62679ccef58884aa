"""depthwise: depthwise convolutions that say so.

What: turns a CONV_2D with one input channel a group, filter (C, kh, kw, 1) on C channels, into
    DEPTHWISE_CONV_2D with filter (1, kh, kw, C).
Why: onnx2tf writes grouped convolutions for the shortcuts' depthwise ones. XNNPACK recognizes
    them, TFLite's builtin kernels run them the slow way, and some delegates refuse them.
Exact: the same products in the same place; only the filter's axes move.
"""

from __future__ import annotations

import copy

import numpy as np

from ghostdeploy.flatbuffer import (
    ModelT,
    OperatorT,
    SubGraphT,
    append_buffer,
    operator_kind,
    schema,
    tensor_shape,
)
from ghostdeploy.lowering.rewrites.build import add_opcode

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Make every grouped convolution that is one depthwise and return their number."""
    changed = 0
    for graph in model.subgraphs:
        for op in graph.operators:
            if operator_kind(model, op) == "CONV_2D" and _is_depthwise(graph, op):
                _rewrite(model, graph, op)
                changed += 1
    return changed


def _is_depthwise(graph: SubGraphT, op: OperatorT) -> bool:
    image, weights = (tensor_shape(graph.tensors[i]) for i in op.inputs[:2])
    out, _, _, in_per_group = weights
    return bool(in_per_group == 1 and out == image[3] > 1)


def _rewrite(model: ModelT, graph: SubGraphT, op: OperatorT) -> None:
    generated = schema()
    old = op.builtinOptions
    op.opcodeIndex = add_opcode(model, generated.BuiltinOperator.DEPTHWISE_CONV_2D)
    op.builtinOptionsType = generated.BuiltinOptions.DepthwiseConv2DOptions
    new = op.builtinOptions = generated.DepthwiseConv2DOptionsT()
    new.depthMultiplier = 1
    for field in ("padding", "strideH", "strideW", "fusedActivationFunction"):
        setattr(new, field, getattr(old, field))
    new.dilationHFactor, new.dilationWFactor = old.dilationHFactor, old.dilationWFactor
    _transpose_filter(model, graph, op)


def _transpose_filter(model: ModelT, graph: SubGraphT, op: OperatorT) -> None:
    """Give ``op`` a filter tensor of its own with the channel axis last.

    With fp16 weights the filter is the output of a DEQUANTIZE; both its ends are moved.
    """
    index = int(op.inputs[1])
    op.inputs = np.array(op.inputs)  # a read-only view of the file until now
    producer = next((o for o in graph.operators if index in o.outputs), None)
    if producer is None:
        op.inputs[1] = _moved_copy(model, graph, index)
        return
    source = _moved_copy(model, graph, int(producer.inputs[0]))
    target = _moved_copy(model, graph, index)
    moved = copy.copy(producer)
    moved.inputs, moved.outputs = np.array([source], np.int32), np.array([target], np.int32)
    graph.operators.insert(graph.operators.index(producer), moved)
    op.inputs[1] = target


def _moved_copy(model: ModelT, graph: SubGraphT, index: int) -> int:
    tensor = copy.deepcopy(graph.tensors[index])
    channels, height, width, _ = tensor_shape(tensor)
    tensor.shape, tensor.shapeSignature = np.array([1, height, width, channels], np.int32), None
    if tensor.quantization is not None and tensor.quantization.quantizedDimension == 0:
        tensor.quantization.quantizedDimension = 3
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data):
        pixels = np.asarray(data, np.uint8).reshape(channels, height * width, -1)
        tensor.buffer = append_buffer(model, pixels.transpose(1, 0, 2).tobytes())
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
