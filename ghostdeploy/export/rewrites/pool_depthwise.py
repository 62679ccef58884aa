"""pool-depthwise: average pooling in int8 as the depthwise convolution that it is.

What: an int8 AVERAGE_POOL_2D becomes a depthwise convolution with weights of one at the scale 1/n.
Why: XNNPACK has no average pooling in int8; each one ends a partition.
Exact: up to rounding. XNNPACK rounds Σ/n to the nearest quantum as the pooling kernel does, ties
    apart; TFLite's builtin convolution rounds twice and may end one quantum off.
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
    return [builder.depthwise_int8(source, target, window=window, stride=stride, scale=share)]
