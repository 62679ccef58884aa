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

from typing import Any

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of resizes replaced."""
    return replace_operators(model, "RESIZE_NEAREST_NEIGHBOR", _doubles, _replacement)


def _doubles(builder: GraphBuilder, op: Any) -> bool:
    options = op.builtinOptions
    small, large = (builder.graph.tensors[i].shape[1:3] for i in (op.inputs[0], op.outputs[0]))
    extra = {int(m) - 2 * int(n) for n, m in zip(small, large, strict=True)}
    even = extra == {0}
    return not options.alignCorners and (even or (extra <= {0, 1} and not options.halfPixelCenters))


def _replacement(builder: GraphBuilder, op: Any) -> list[Any]:
    source, target = int(op.inputs[0]), int(op.outputs[0])
    _, height, width, channels = (int(n) for n in builder.shape(source))
    shape = [1, 2 * height, 2 * width, channels]
    odd = [axis for axis in (1, 2) if builder.shape(target)[axis] > shape[axis]]
    stack = builder.like(source, (1, height, width, 4 * channels))
    current = builder.like(source, shape) if odd else target
    made = [
        builder.concatenation([source] * 4, stack, axis=3),
        builder.depth_to_space(stack, current, block=2),
    ]
    for axis in odd:
        stride = (shape[1], 1) if axis == 1 else (1, shape[2])
        edge = builder.like(source, [1 if a == axis else n for a, n in enumerate(shape)])
        made.append(builder.pick(current, edge, stride))
        shape[axis] += 1
        joined = target if axis == odd[-1] else builder.like(source, shape)
        made.append(builder.concatenation([edge, current], joined, axis=axis))
        current = joined
    builder.name_after(target, made)
    return made
