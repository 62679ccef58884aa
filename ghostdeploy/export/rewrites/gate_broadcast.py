"""gate-broadcast: nearest up-sampling by two inside of the multiplication that it is for.

What: RESIZE_NEAREST_NEIGHBOR from (h, w) to (2h, 2w) whose only reader is a MUL with a tensor of
    that size becomes two copies side by side in channels, (1, h, w, 2c), seen as (1, h, 1, 2wc);
    the MUL then broadcasts it over the rows of (1, h, 2, 2wc). RESHAPE moves no data.
Why: the up-sampled map is never written: XNNPACK's MUL reads each of its rows twice. In the other
    form (nearest-depth) the map is written twice, as a stack and as DEPTH_TO_SPACE.
Exact: the same products of the same pixels.
Holds for: float and int8 tensors, align_corners off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of, scaling
from ghostdeploy.export.rewrites.operators import make_concatenation, make_reshape
from ghostdeploy.flatbuffer import ModelT, OperatorT, SubGraphT, schema, tensor_shape

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Replace every resize that a MUL can do and return their number."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    graph, readers = builder.graph, readers_of(builder.graph)
    gone: set[int] = set()  # operators, by id
    made: dict[int, list[OperatorT]] = {}
    for resize in graph.operators:
        if builder.kind(resize) != "RESIZE_NEAREST_NEIGHBOR":
            continue
        mul = _only(readers.get(int(resize.outputs[0]), ()))
        if mul is None or builder.kind(mul) != "MUL" or id(mul) in made:
            continue
        if _doubles(builder, resize) and _is_plain(graph, resize, mul):
            gone.add(id(resize))
            made[id(mul)] = _replacement(builder, resize, mul)
    graph.operators = [
        new for op in graph.operators if id(op) not in gone for new in made.get(id(op), [op])
    ]
    return len(gone)


def _only(operators: Sequence[OperatorT | None]) -> OperatorT | None:
    return operators[0] if len(operators) == 1 else None


def _doubles(builder: GraphBuilder, resize: OperatorT) -> bool:
    small, large = (builder.shape(int(i)) for i in (resize.inputs[0], resize.outputs[0]))
    twice = all(b == 2 * a for a, b in zip(small[1:3], large[1:3], strict=True))
    return bool(twice and small[0] == 1 and not resize.builtinOptions.alignCorners)


def _is_plain(graph: SubGraphT, resize: OperatorT, mul: OperatorT) -> bool:
    """Return whether ``mul`` is of two tensors of one shape, one of them resized, not rescaled."""
    shapes = [tensor_shape(graph.tensors[i]) for i in (*mul.inputs, *mul.outputs)]
    both = int(mul.inputs[0]) == int(mul.inputs[1])
    small, large = (graph.tensors[i] for i in (resize.inputs[0], resize.outputs[0]))
    known = small.type in (schema().TensorType.FLOAT32, schema().TensorType.INT8)
    same = scaling(small) == scaling(large)
    return bool(known and same and shapes[0] == shapes[1] == shapes[2] and not both)


def _replacement(builder: GraphBuilder, resize: OperatorT, mul: OperatorT) -> list[OperatorT]:
    source, target = int(resize.inputs[0]), int(mul.outputs[0])
    (other,) = (int(i) for i in mul.inputs if int(i) != int(resize.outputs[0]))
    _, height, width, channels = builder.shape(source)
    row = 2 * width * channels
    pair = builder.add_like(source, (1, height, width, 2 * channels))
    gate = builder.add_like(source, (1, height, 1, row))
    view = builder.add_like(other, (1, height, 2, row))
    product = builder.add_like(target, (1, height, 2, row))
    mul.inputs, mul.outputs = np.array([view, gate], np.int32), np.array([product], np.int32)
    code = builder.model.operatorCodes[mul.opcodeIndex]
    code.version = max(code.version, 2)  # broadcasts
    joined = make_concatenation(builder, [source, source], pair, axis=3)
    return [
        builder.name_output(joined, target, "pair"),
        builder.name_output(make_reshape(builder, pair, gate), target, "gate"),
        builder.name_output(make_reshape(builder, other, view), target, "rows"),
        builder.name_output(mul, target, "product"),
        make_reshape(builder, product, target),
    ]
