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
from typing import Any

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of, scaling
from ghostdeploy.flatbuffer import schema

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of resizes replaced."""
    return sum(_apply(model, graph) for graph in model.subgraphs)


def _apply(model: Any, graph: Any) -> int:
    builder = GraphBuilder(model, graph)
    readers = readers_of(graph)
    resize_code, mul_code = (
        getattr(schema().BuiltinOperator, name) for name in ("RESIZE_NEAREST_NEIGHBOR", "MUL")
    )
    gone: dict[int, Any] = {}  # of the operators, by id
    made: dict[int, list[Any]] = {}
    for resize in graph.operators:
        if model.operatorCodes[resize.opcodeIndex].builtinCode != resize_code:
            continue
        mul = _only(readers.get(int(resize.outputs[0]), ()))
        if mul is None or model.operatorCodes[mul.opcodeIndex].builtinCode != mul_code:
            continue
        if _doubles(graph, resize) and _plain(graph, resize, mul) and id(mul) not in made:
            gone[id(resize)] = resize
            made[id(mul)] = _replacement(builder, resize, mul)
    graph.operators = [
        new for op in graph.operators if id(op) not in gone for new in made.get(id(op), [op])
    ]
    return len(gone)


def _only(operators: Sequence[Any]) -> Any:
    return operators[0] if len(operators) == 1 else None


def _doubles(graph: Any, resize: Any) -> bool:
    small, large = (graph.tensors[i].shape for i in (resize.inputs[0], resize.outputs[0]))
    twice = all(int(b) == 2 * int(a) for a, b in zip(small[1:3], large[1:3], strict=True))
    return bool(twice and int(small[0]) == 1 and not resize.builtinOptions.alignCorners)


def _plain(graph: Any, resize: Any, mul: Any) -> bool:
    """A multiplication of two tensors of one shape, of which one is resized without rescaling."""
    shapes = [graph.tensors[i].shape.tolist() for i in (*mul.inputs, *mul.outputs)]
    both = int(mul.inputs[0]) == int(mul.inputs[1])
    small, large = (graph.tensors[i] for i in (resize.inputs[0], resize.outputs[0]))
    known = small.type in (schema().TensorType.FLOAT32, schema().TensorType.INT8)
    same = scaling(small) == scaling(large)
    return bool(known and same and shapes[0] == shapes[1] == shapes[2] and not both)


def _replacement(builder: GraphBuilder, resize: Any, mul: Any) -> list[Any]:
    source, target = int(resize.inputs[0]), int(mul.outputs[0])
    (other,) = (int(i) for i in mul.inputs if int(i) != int(resize.outputs[0]))
    _, height, width, channels = (int(n) for n in builder.shape(source))
    row = 2 * width * channels
    pair = builder.like(source, (1, height, width, 2 * channels))
    gate = builder.like(source, (1, height, 1, row))
    view = builder.like(other, (1, height, 2, row))
    product = builder.like(target, (1, height, 2, row))
    mul.inputs, mul.outputs = np.array([view, gate], np.int32), np.array([product], np.int32)
    code = builder.model.operatorCodes[mul.opcodeIndex]
    code.version = max(code.version, 2)  # broadcasts
    return [
        builder.named(builder.concatenation([source, source], pair, axis=3), target, "pair"),
        builder.named(builder.reshape(pair, gate), target, "gate"),
        builder.named(builder.reshape(other, view), target, "rows"),
        builder.named(mul, target, "product"),
        builder.reshape(product, target),
    ]
