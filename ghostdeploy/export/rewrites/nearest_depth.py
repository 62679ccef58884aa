"""nearest-depth: nearest up-sampling by two as operators that XNNPACK has.

What: RESIZE_NEAREST_NEIGHBOR from n to 2n becomes a concatenation of four copies and
    DEPTH_TO_SPACE. From n to 2n + 1, where torch's rule ⌊i·n/(2n+1)⌋ reads [0,0,0,1,1,2,2 …], the
    first row or column, picked by a 1×1 depthwise convolution that strides over the rest, is put
    once more in front.
Why: XNNPACK has no RESIZE_NEAREST_NEIGHBOR; each one ends a partition. GhostNetV2 makes 15 with
    it and one without.
Exact: pixels are copied; the convolution's weights are 1.
Holds for: align_corners off; half_pixel_centers too where the size is odd (where it is even the
    two rules agree), so it follows nearest-floor.
"""

from __future__ import annotations

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.export.rewrites.operators import (
    make_concatenation,
    make_depth_to_space,
    make_pick,
)
from ghostdeploy.flatbuffer import ModelT, OperatorT

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Replace every up-sampling by two and return their number."""
    return replace_operators(model, "RESIZE_NEAREST_NEIGHBOR", _doubles, _replacement)


def _doubles(builder: GraphBuilder, op: OperatorT) -> bool:
    options = op.builtinOptions
    small, large = (builder.shape(int(i))[1:3] for i in (op.inputs[0], op.outputs[0]))
    extra = {m - 2 * n for n, m in zip(small, large, strict=True)}
    even = extra == {0}
    return not options.alignCorners and (even or (extra <= {0, 1} and not options.halfPixelCenters))


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    source, target = int(op.inputs[0]), int(op.outputs[0])
    _, height, width, channels = builder.shape(source)
    shape = [1, 2 * height, 2 * width, channels]
    odd = [axis for axis in (1, 2) if builder.shape(target)[axis] > shape[axis]]
    stack = builder.add_like(source, (1, height, width, 4 * channels))
    current = builder.add_like(source, shape) if odd else target
    made = [
        make_concatenation(builder, [source] * 4, stack, axis=3),
        make_depth_to_space(builder, stack, current, block=2),
    ]
    for axis in odd:
        stride = (shape[1], 1) if axis == 1 else (1, shape[2])
        edge = builder.add_like(source, [1 if a == axis else n for a, n in enumerate(shape)])
        made.append(make_pick(builder, current, edge, stride))
        shape[axis] += 1
        joined = target if axis == odd[-1] else builder.add_like(source, shape)
        made.append(make_concatenation(builder, [edge, current], joined, axis=axis))
        current = joined
    builder.number_outputs(made, target)
    return made
