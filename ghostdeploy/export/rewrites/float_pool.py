"""float-pool: average pooling of 2×2 in float as the depthwise convolution that it is.

What: AVERAGE_POOL_2D becomes a depthwise convolution with weights of ¼.
Why: XNNPACK's pooling takes nine pixels at a time, so that a window of four costs twice what the
    convolution does.
Exact: up to the order of the sum (¼ is exact).
Holds for: VALID pooling of 2×2 without a fused activation.
"""

from __future__ import annotations

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.export.rewrites.operators import make_float_sum
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Replace every pooling that fits and return their number."""
    return replace_operators(model, "AVERAGE_POOL_2D", _fits, _replacement)


def _fits(builder: GraphBuilder, op: OperatorT) -> bool:
    options = op.builtinOptions
    source = builder.graph.tensors[op.inputs[0]]
    return bool(
        options.padding == schema().Padding.VALID
        and not options.fusedActivationFunction
        and source.type == schema().TensorType.FLOAT32
        and options.filterHeight == options.filterWidth == 2
    )


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    options = op.builtinOptions
    stride = (options.strideH, options.strideW)
    source, target = int(op.inputs[0]), int(op.outputs[0])
    return [make_float_sum(builder, source, target, window=(2, 2), stride=stride, weight=0.25)]
