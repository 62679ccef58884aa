"""pad-same: explicit zero padding that the convolution can do itself.

What: PAD in front of a VALID convolution goes, and the convolution's padding becomes SAME.
Why: the PAD copies the whole tensor; a convolution pads while it reads.
Exact: only where SAME would pad by just those amounts. It puts the odd pixel behind, so a 3×3 of
    stride 2 on an even size, which torch pads in front and behind, keeps its PAD.
"""

from __future__ import annotations

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder
from ghostdeploy.flatbuffer import ModelT, OperatorT, SubGraphT, schema

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Remove every PAD that folds into a convolution and return their number."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    graph = builder.graph
    readers = _reader_counts(graph)
    producers = {int(o): op for op in graph.operators for o in op.outputs}
    gone: list[OperatorT] = []
    for op in graph.operators:
        pad = producers.get(int(op.inputs[0])) if len(op.inputs) else None
        if pad is not None and _folds(builder, pad, op, readers):
            op.inputs = np.array([pad.inputs[0], *op.inputs[1:]], np.int32)
            op.builtinOptions.padding = schema().Padding.SAME
            gone.append(pad)
    graph.operators = [op for op in graph.operators if not any(op is g for g in gone)]
    return len(gone)


def _reader_counts(graph: SubGraphT) -> dict[int, int]:
    counts: dict[int, int] = {}
    for index in (*(i for op in graph.operators for i in op.inputs), *graph.outputs):
        counts[int(index)] = counts.get(int(index), 0) + 1
    return counts


def _folds(builder: GraphBuilder, pad: OperatorT, conv: OperatorT, readers: dict[int, int]) -> bool:
    if builder.kind(pad) != "PAD" or readers[int(pad.outputs[0])] != 1:
        return False
    if builder.kind(conv) not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return False
    if conv.builtinOptions.padding != schema().Padding.VALID:
        return False
    amounts = builder.values(int(pad.inputs[1]))
    return amounts is not None and amounts.tolist() == _same_amounts(builder, pad, conv)


def _same_amounts(builder: GraphBuilder, pad: OperatorT, conv: OperatorT) -> list[list[int]]:
    """Return what SAME pads before and behind (tf.nn.convolution), for each of N, H, W, C."""
    options, shape = conv.builtinOptions, builder.shape(int(pad.inputs[0]))
    kernel = builder.shape(int(conv.inputs[1]))
    amounts = [[0, 0]]
    for axis, stride, dilation in (
        (1, options.strideH, options.dilationHFactor),
        (2, options.strideW, options.dilationWFactor),
    ):
        size, reach = shape[axis], (kernel[axis] - 1) * dilation + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        amounts.append([total // 2, total - total // 2])
    return [*amounts, [0, 0]]
