"""pool-depthwise: int8 average pooling as an operator that XNNPACK has in int8.

What: AVERAGE_POOL_2D on int8 becomes a depthwise convolution with weights of one at the scale 1/n.
Why: XNNPACK pools averages in floating point only; in int8 each one ends a partition.
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
    return replace_operators(model, "AVERAGE_POOL_2D", _is_plain_int8, _replacement)


def _is_plain_int8(graph: Any, op: Any) -> bool:
    options, source, target = (
        op.builtinOptions,
        graph.tensors[op.inputs[0]],
        graph.tensors[op.outputs[0]],
    )
    if source.type != schema().TensorType.INT8:
        return False
    same = np.array_equal(source.quantization.scale, target.quantization.scale)
    same = same and np.array_equal(source.quantization.zeroPoint, target.quantization.zeroPoint)
    valid = options.padding == schema().Padding.VALID
    return bool(same and valid and options.fusedActivationFunction == 0)


def _replacement(builder: GraphBuilder, op: Any) -> list[Any]:
    options = op.builtinOptions
    window = (options.filterHeight, options.filterWidth)
    convolution = builder.depthwise_int8(
        int(op.inputs[0]),
        int(op.outputs[0]),
        window=window,
        stride=(options.strideH, options.strideW),
        scale=1.0 / (window[0] * window[1]),
    )
    return [convolution]
