"""pool-depthwise: average pooling in int8 as the depthwise convolution that it is.

What: an int8 AVERAGE_POOL_2D becomes a depthwise convolution with weights of one at the scale 1/n.
Why: XNNPACK has no average pooling in int8; each one ends a partition.
Exact: up to rounding. XNNPACK rounds Σ/n to the nearest quantum as the pooling kernel does, ties
    apart; TFLite's builtin convolution rounds twice and may end one quantum off.
Holds for: VALID pooling without a fused activation whose input and output share scale and zero
    point, which TFLite's own specification demands of it.
"""

from __future__ import annotations

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators, scaling
from ghostdeploy.export.rewrites.operators import make_int8_sum
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Replace every pooling that fits and return their number."""
    return replace_operators(model, "AVERAGE_POOL_2D", _fits, _replacement)


def _fits(builder: GraphBuilder, op: OperatorT) -> bool:
    options = op.builtinOptions
    if options.padding != schema().Padding.VALID or options.fusedActivationFunction:
        return False
    source, target = (builder.graph.tensors[i] for i in (op.inputs[0], op.outputs[0]))
    return bool(source.type == schema().TensorType.INT8 and scaling(source) == scaling(target))


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    options = op.builtinOptions
    source, target = int(op.inputs[0]), int(op.outputs[0])
    window = (options.filterHeight, options.filterWidth)
    stride = (options.strideH, options.strideW)
    share = 1.0 / (window[0] * window[1])
    return [make_int8_sum(builder, source, target, window=window, stride=stride, scale=share)]
