"""pool-depthwise: small average pooling as the depthwise convolution that it is.

What: AVERAGE_POOL_2D becomes a depthwise convolution: in int8 with weights of one at the scale
    1/n, in float, for windows of 2×2, with weights of ¼.
Why: XNNPACK has no average pooling in int8, where each one ends a partition; in float its pooling
    takes nine pixels at a time, so that a window of four costs twice what the convolution does.
Exact: in float up to the order of the sum (¼ is exact), in int8 up to rounding. XNNPACK rounds Σ/n
    to the nearest quantum as the pooling kernel does, ties apart; TFLite's builtin convolution
    rounds twice and may end one quantum off.
Holds for: VALID pooling without a fused activation whose input and output share scale and zero
    point, which TFLite's own specification demands of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.flatbuffer import schema

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of poolings replaced."""
    return replace_operators(model, "AVERAGE_POOL_2D", _fits, _replacement)


def _fits(builder: GraphBuilder, op: Any) -> bool:
    options = op.builtinOptions
    if options.padding != schema().Padding.VALID or options.fusedActivationFunction:
        return False
    source, target = (builder.graph.tensors[i] for i in (op.inputs[0], op.outputs[0]))
    if source.type == schema().TensorType.FLOAT32:
        return bool(options.filterHeight == options.filterWidth == 2)
    if source.type != schema().TensorType.INT8:
        return False
    same = np.array_equal(source.quantization.scale, target.quantization.scale)
    return same and np.array_equal(source.quantization.zeroPoint, target.quantization.zeroPoint)


def _replacement(builder: GraphBuilder, op: Any) -> list[Any]:
    options = op.builtinOptions
    source, target = int(op.inputs[0]), int(op.outputs[0])
    window = (options.filterHeight, options.filterWidth)
    stride = (options.strideH, options.strideW)
    share = 1.0 / (window[0] * window[1])
    if builder.graph.tensors[source].type == schema().TensorType.INT8:
        make = builder.depthwise_int8
        return [make(source, target, window=window, stride=stride, scale=share)]
    return [builder.depthwise_sum(source, target, window=window, stride=stride, weight=share)]
