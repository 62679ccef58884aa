"""pad-same: explicit zero padding that the convolution can do itself.

What: PAD in front of a VALID convolution goes, and the convolution's padding becomes SAME.
Why: the PAD copies the whole tensor; a convolution pads while it reads.
Exact: only where SAME would pad by just those amounts. It puts the odd pixel behind, so a 3×3 of
    stride 2 on an even size, which torch pads in front and behind, keeps its PAD.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ghostdeploy.flatbuffer import schema

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of PADs removed."""
    changed = 0
    for graph in model.subgraphs:
        readers = _reader_counts(graph)
        producers = {int(o): op for op in graph.operators for o in op.outputs}
        gone = []
        for op in graph.operators:
            pad = producers.get(int(op.inputs[0])) if len(op.inputs) else None
            if pad is not None and _folds(model, graph, pad, op, readers):
                op.inputs = np.array([pad.inputs[0], *op.inputs[1:]], np.int32)
                op.builtinOptions.padding = schema().Padding.SAME
                gone.append(pad)
        graph.operators = [op for op in graph.operators if not any(op is g for g in gone)]
        changed += len(gone)
    return changed


def _reader_counts(graph: Any) -> dict[int, int]:
    counts: dict[int, int] = {}
    for index in (*(i for op in graph.operators for i in op.inputs), *graph.outputs):
        counts[int(index)] = counts.get(int(index), 0) + 1
    return counts


def _folds(model: Any, graph: Any, pad: Any, conv: Any, readers: dict[int, int]) -> bool:
    codes = schema().BuiltinOperator
    if _code(model, pad) != codes.PAD or readers[int(pad.outputs[0])] != 1:
        return False
    if _code(model, conv) not in (codes.CONV_2D, codes.DEPTHWISE_CONV_2D):
        return False
    if conv.builtinOptions.padding != schema().Padding.VALID:
        return False
    amounts = _constant(model, graph, int(pad.inputs[1]))
    return amounts is not None and amounts.tolist() == _same_amounts(graph, pad, conv)


def _code(model: Any, op: Any) -> int:
    return int(model.operatorCodes[op.opcodeIndex].builtinCode)


def _constant(model: Any, graph: Any, index: int) -> Any:
    tensor = graph.tensors[index]
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema().TensorType.INT32 or len(data) != 32:
        return None
    return np.asarray(data, np.uint8).view(np.int32).reshape(4, 2)


def _same_amounts(graph: Any, pad: Any, conv: Any) -> list[list[int]]:
    """What SAME pads before and behind (tf.nn.convolution), for each of N, H, W, C."""
    options, shape = conv.builtinOptions, graph.tensors[pad.inputs[0]].shape
    kernel = graph.tensors[conv.inputs[1]].shape
    amounts = [[0, 0]]
    for axis, stride, dilation in (
        (1, options.strideH, options.dilationHFactor),
        (2, options.strideW, options.dilationWFactor),
    ):
        size, reach = int(shape[axis]), (int(kernel[axis]) - 1) * dilation + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        amounts.append([total // 2, total - total // 2])
    return [*amounts, [0, 0]]
