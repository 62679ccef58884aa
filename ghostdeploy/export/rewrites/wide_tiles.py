"""wide-tiles: 1×1 convolutions that XNNPACK computes eight channels at a time.

What: a 1×1 CONV_2D of stride 1 whose output channels are four more than a multiple of eight reads
    its (1, h, w, k) as the single row (1, 1, hw, k), with a stride of two rows, of which there are
    none to skip; its output is seen as (1, h, w, n) again. RESHAPE moves no data.
Why: XNNPACK makes a fully connected layer of a 1×1 convolution, and for such channels picks
    kernels on ARM that are four columns wide and load as much for half of the products. With a
    stride it stays a convolution, whose kernels are eight wide throughout. GhostNet's halves
    are often such: 12, 20, 36, 60, 92, 100 channels at width 1.0.
Exact: the same products; a sum may be rounded in another order.
Holds for: float tensors, at least as many pixels as a tile has rows, eight channels or more.
"""

from __future__ import annotations

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.export.rewrites.operators import make_reshape
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema, tensor_shape

KEEPS_FUNCTION = True
WIDE, NARROW = 8, 4
MIN_PIXELS = 16  # below, both take one or two tiles of rows


def apply(model: ModelT) -> int:
    """Widen every convolution that gains and return their number."""
    return replace_operators(model, "CONV_2D", _gains, _replacement)


def _gains(builder: GraphBuilder, op: OperatorT) -> bool:
    source, weights = (builder.graph.tensors[i] for i in op.inputs[:2])
    sides = tensor_shape(source)
    if source.type != schema().TensorType.FLOAT32 or len(sides) != 4:
        return False
    options = op.builtinOptions
    batch, height, width, depth = sides
    out, *kernel = tensor_shape(weights)
    plain = kernel == [1, 1, depth] and options.strideH == options.strideW == 1
    enough = batch == 1 and height > 1 and height * width >= MIN_PIXELS
    return bool(plain and enough and out > WIDE and out % WIDE == NARROW)


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    source, target = int(op.inputs[0]), int(op.outputs[0])
    _, height, width, depth = builder.shape(source)
    row = builder.add_like(source, (1, 1, height * width, depth))
    made = builder.add_like(target, (1, 1, height * width, builder.shape(target)[3]))
    op.inputs = np.array([row, *op.inputs[1:]], np.int32)
    op.outputs = np.array([made], np.int32)
    op.builtinOptions.strideH = 2
    return [
        builder.name_output(make_reshape(builder, source, row), target, "row"),
        builder.name_output(op, target, "tiles"),
        make_reshape(builder, made, target),
    ]
