"""Operators on maps in ONNX's layout (NCHW), made anew for maps with their channels last."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from ghostdeploy.flatbuffer import OperatorT
from ghostdeploy.lowering.rewrites.build import GraphBuilder

Axes = tuple[int, ...]
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
PLACE = (0, 3, 1, 2)  # where each of N, C, H, W lies in NHWC


def turn_of(builder: GraphBuilder, op: OperatorT) -> Axes:
    """Return TO_NCHW or TO_NHWC where the operator does that and nothing else, else ()."""
    kind = builder.kind(op)
    if kind not in ("TRANSPOSE", "RESHAPE") or not len(op.inputs):
        return ()
    have, made = builder.shape(int(op.inputs[0])), builder.shape(int(op.outputs[0]))
    if len(have) != 4 or len(made) != 4:
        return ()
    if kind == "RESHAPE":
        return next((t for t in (TO_NCHW, TO_NHWC) if _only_ones_move(have, made, t)), ())
    axes = builder.values(int(op.inputs[1]))
    found = tuple(axes.tolist()) if axes is not None else ()
    return found if found in (TO_NCHW, TO_NHWC) else ()


def _only_ones_move(have: Axes, made: Axes, turn: Axes) -> bool:
    """Return whether ``turn`` brings one shape to the other without moving a value."""
    places = [axis for axis in turn if have[axis] > 1]
    return tuple(have[axis] for axis in turn) == made and places == sorted(places)


def turned_operator(
    builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]
) -> OperatorT | None:
    """Return the operator on the ``sources`` of the maps that it reads, None where it has none.

    Its output is a new map with channels last, or its own where that is no map.
    """
    make = _TURNED.get(builder.kind(op))
    if make is None or (int(op.inputs[0]) not in sources and int(op.inputs[-1]) not in sources):
        return None
    return make(builder, op, sources)


def _elementwise(
    builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]
) -> OperatorT | None:
    given = [_operand(builder, int(i), sources) for i in op.inputs]
    return None if None in given else _with_turned_output(builder, op, given)


def _operand(builder: GraphBuilder, tensor: int, sources: Mapping[int, int]) -> int | None:
    """Return the tensor with its channels last, None where it is not known so."""
    if tensor in sources or prod(builder.shape(tensor)) == 1:
        return sources.get(tensor, tensor)
    values = builder.float_values(tensor)
    if values is None or values.ndim > 4:
        return None
    wide = values.reshape((1,) * (4 - values.ndim) + values.shape)
    name = builder.graph.tensors[tensor].name or b"constant"
    return builder.add_constant(np.ascontiguousarray(wide.transpose(TO_NHWC)), name.decode())


def _with_turned_output(
    builder: GraphBuilder, op: OperatorT, inputs: Sequence[int | None]
) -> OperatorT | None:
    target = int(op.outputs[0])
    shape = builder.shape(target)
    if len(shape) != 4:
        return None
    # Of the same name, which it keeps once the TRANSPOSE behind it is gone.
    made = builder.copy_operator(op, [int(i) for i in inputs if i is not None], target)
    made.outputs = np.array([builder.add_like(target, [shape[a] for a in TO_NHWC])], np.int32)
    new = builder.graph.tensors[int(made.outputs[0])]
    new.name = (new.name or b"") + b"'"
    return made


def _concatenation(
    builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]
) -> OperatorT | None:
    if any(int(i) not in sources for i in op.inputs):
        return None
    made = _with_turned_output(builder, op, [sources[int(i)] for i in op.inputs])
    if made is not None:
        made.builtinOptions.axis = PLACE[op.builtinOptions.axis % 4]
    return made


def _pad(builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]) -> OperatorT | None:
    amounts = builder.values(int(op.inputs[1]))
    if amounts is None:
        return None
    numbers = builder.add_constant(np.ascontiguousarray(amounts[list(TO_NHWC)]), "padding")
    source, rest = sources[int(op.inputs[0])], [int(i) for i in op.inputs[2:]]
    return _with_turned_output(builder, op, [source, numbers, *rest])


def _reduction(
    builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]
) -> OperatorT | None:
    values = builder.values(int(op.inputs[1]))
    if values is None:
        return None
    axes = {int(axis) % 4 for axis in values.ravel()}
    numbers = builder.add_constant(np.array(sorted(PLACE[a] for a in axes), np.int32), "axes")
    given = [sources[int(op.inputs[0])], numbers]
    if op.builtinOptions.keepDims:
        return _with_turned_output(builder, op, given)
    left = [PLACE[axis] for axis in range(4) if axis not in axes]
    return builder.copy_operator(op, given, int(op.outputs[0])) if left == sorted(left) else None


def _view(builder: GraphBuilder, op: OperatorT, sources: Mapping[int, int]) -> OperatorT | None:
    """Return a RESHAPE of a map whose values lie in one order in either layout, as 1×1 ones do."""
    source = sources.get(int(op.inputs[0]))
    shape = builder.shape(source) if source is not None else ()
    if len(shape) != 4 or not _only_ones_move(shape, tuple(shape[a] for a in TO_NCHW), TO_NCHW):
        return None
    made = copy.copy(op)
    made.inputs = np.array([source, *op.inputs[1:]], np.int32)
    return made


_ELEMENTWISE = (
    "ABS", "ADD", "DIV", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG",
    "LOGISTIC", "MAXIMUM", "MINIMUM", "MUL", "NEG", "POW", "RELU", "RELU6", "RELU_0_TO_1",
    "RELU_N1_TO_1", "RSQRT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE", "SUB", "TANH",
)  # fmt: skip
_TURNED: Mapping[str, Callable[[GraphBuilder, OperatorT, Mapping[int, int]], OperatorT | None]] = (
    dict.fromkeys(_ELEMENTWISE, _elementwise)
    | {
        "CONCATENATION": _concatenation,
        "PAD": _pad,
        "PADV2": _pad,
        "MEAN": _reduction,
        "SUM": _reduction,
        "REDUCE_MAX": _reduction,
        "RESHAPE": _view,
    }
)
