"""TFLite in half precision as TensorFlow's converter writes it: fp16 weights, fp32 arithmetic."""

from __future__ import annotations

import copy

import numpy as np

from ghostdeploy.flatbuffer import ModelT, OperatorT, append_buffer, schema, tensor_name
from ghostdeploy.lowering.rewrites.build import GraphBuilder


def halve_weights(model: ModelT) -> None:
    """Store every float constant that an operator reads as fp16, with a DEQUANTIZE behind it."""
    for graph in model.subgraphs:
        builder = GraphBuilder(model, graph)
        read = dict.fromkeys(int(i) for op in graph.operators for i in op.inputs)
        made = [op for index in read if (op := _halve(builder, index)) is not None]
        graph.operators = [*made, *graph.operators]


def _halve(builder: GraphBuilder, index: int) -> OperatorT | None:
    """Make a constant a computed tensor, and return what computes it; None for other tensors."""
    values = builder.float_values(index)
    if values is None:
        return None
    tensors, whole = builder.graph.tensors, builder.graph.tensors[index]
    half = copy.deepcopy(whole)
    half.type = schema().TensorType.FLOAT16
    half.buffer = append_buffer(builder.model, values.astype(np.float16).tobytes())
    half.name = f"{tensor_name(whole)}.half".encode()
    tensors.append(half)
    whole.buffer = 0
    return builder.make_operator(
        "DEQUANTIZE", [len(tensors) - 1], index, schema().DequantizeOptionsT(), version=3
    )
