"""depthwise: depthwise convolutions that say so.

What: turns a CONV_2D with one input channel a group, filter (C, kh, kw, 1) on C channels, into
    DEPTHWISE_CONV_2D with filter (1, kh, kw, C).
Why: onnx2tf writes grouped convolutions for the shortcuts' depthwise ones. XNNPACK recognizes
    them, TFLite's builtin kernels run them the slow way, and some delegates refuse them.
Exact: the same products in the same place; only the filter's axes move.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ghostdeploy.export.rewrites.build import opcode
from ghostdeploy.flatbuffer import schema

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of convolutions changed."""
    conv = schema().BuiltinOperator.CONV_2D
    changed = 0
    for graph in model.subgraphs:
        for op in graph.operators:
            is_conv = model.operatorCodes[op.opcodeIndex].builtinCode == conv
            if is_conv and _is_depthwise(graph, op):
                _rewrite(model, graph, op)
                changed += 1
    return changed


def _is_depthwise(graph: Any, op: Any) -> bool:
    image, weights = (graph.tensors[i] for i in op.inputs[:2])
    out, _, _, in_per_group = weights.shape
    return bool(in_per_group == 1 and out == image.shape[3] > 1)


def _rewrite(model: Any, graph: Any, op: Any) -> None:
    generated = schema()
    old = op.builtinOptions
    op.opcodeIndex = opcode(model, generated.BuiltinOperator.DEPTHWISE_CONV_2D)
    op.builtinOptionsType = generated.BuiltinOptions.DepthwiseConv2DOptions
    new = op.builtinOptions = generated.DepthwiseConv2DOptionsT()
    new.depthMultiplier = 1
    for field in ("padding", "strideH", "strideW", "fusedActivationFunction"):
        setattr(new, field, getattr(old, field))
    new.dilationHFactor, new.dilationWFactor = old.dilationHFactor, old.dilationWFactor
    _transpose_filter(model, graph, op)


def _transpose_filter(model: Any, graph: Any, op: Any) -> None:
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
    moved = copy.copy(producer)
    moved.inputs, moved.outputs = np.array([source]), np.array([_moved_copy(model, graph, index)])
    graph.operators.insert(graph.operators.index(producer), moved)
    op.inputs[1] = moved.outputs[0]


def _moved_copy(model: Any, graph: Any, index: int) -> int:
    tensor = copy.deepcopy(graph.tensors[index])
    channels, height, width, _ = tensor.shape
    tensor.shape = np.array([1, height, width, channels], np.int32)
    if tensor.quantization is not None and tensor.quantization.quantizedDimension == 0:
        tensor.quantization.quantizedDimension = 3
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data):
        pixels = np.asarray(data, np.uint8).reshape(channels, height * width, -1)
        buffer = schema().BufferT()
        buffer.data = pixels.transpose(1, 0, 2).reshape(-1)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
