"""The two halves of a Ghost module kept apart, so that they need not share a scale.

A concatenation has one scale in int8. Here it is pushed behind what reads it: PAD, MEAN, depthwise
convolutions and products take each half alone (the other factor is split), and a 1×1 convolution,
which mixes the halves anyway, multiplies each by its part of the weights and adds. What adds halves
channel by channel (the shortcut) still gets them joined: a sum has one scale as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.export import metadata, tidy
from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of
from ghostdeploy.export.rewrites.late_concat import split_pointwise
from ghostdeploy.export.rewrites.operators import make_concatenation
from ghostdeploy.flatbuffer import OperatorT, schema

CHANNELS = 3  # the axis, NHWC


def keep_apart(model: bytes) -> bytes:
    """Return the same function (float TFLite), sums rounded in another order at most."""
    tree = flatbuffer.load(model, "the model")
    builder = GraphBuilder(tree, tree.subgraphs[0])
    while joined := _find_joined(builder):
        joined.push(builder)
    tidy.drop_unused(tree)
    return metadata.attach_files(flatbuffer.dump(tree), metadata.attached_files(model))


@dataclass(frozen=True)
class _Joined:
    """A concatenation of two halves and all that reads it."""

    concat: OperatorT
    readers: tuple[OperatorT, ...]

    def push(self, builder: GraphBuilder) -> None:
        halves = [int(i) for i in self.concat.inputs]
        for reader in self.readers:
            builder.replace([reader], _split(builder, reader, halves, int(self.concat.outputs[0])))
        builder.replace([self.concat], [])


def _find_joined(builder: GraphBuilder) -> _Joined | None:
    readers, float32 = readers_of(builder.graph), schema().TensorType.FLOAT32
    for op in builder.graph.operators:
        if builder.kind(op) != "CONCATENATION" or op.builtinOptions.axis not in (CHANNELS, -1):
            continue
        whole = int(op.outputs[0])
        found = readers.get(whole, [])
        fit = tuple(r for r in found if r is not None and _takes_halves(builder, r, whole))
        two = len(op.inputs) == 2 and builder.graph.tensors[whole].type == float32
        if two and fit and len(fit) == len(found):
            return _Joined(op, fit)
    return None


def _takes_halves(builder: GraphBuilder, op: OperatorT, whole: int) -> bool:
    kind, options = builder.kind(op), op.builtinOptions
    if kind == "CONV_2D":
        weights = builder.float_values(int(op.inputs[1]))
        narrow = weights is not None and weights.shape[1:3] == (1, 1)
        return bool(narrow and options.strideH == options.strideW == 1)
    if kind == "DEPTHWISE_CONV_2D":
        return bool(options.depthMultiplier == 1)
    if kind == "MUL":
        other = _other(op, whole)
        return bool(other != whole and builder.shape(other)[-1] == builder.shape(whole)[-1])
    return kind in ("PAD", "MEAN")


def _other(op: OperatorT, whole: int) -> int:
    first, second = map(int, op.inputs)
    return second if first == whole else first


def _split(builder: GraphBuilder, op: OperatorT, halves: list[int], whole: int) -> list[OperatorT]:
    """Make what replaces ``op``: it on each half, and the sum or the concatenation of both."""
    if builder.kind(op) == "CONV_2D":
        return split_pointwise(builder, op, halves)
    target = int(op.outputs[0])
    made, rest = _others(builder, op, halves, whole)
    parts = []
    for number, (half, others) in enumerate(zip(halves, rest, strict=True), 1):
        channels = builder.shape(half)[-1]
        parts.append(builder.add_like(target, (*builder.shape(target)[:-1], channels)))
        part = builder.copy_operator(op, [half, *others], parts[-1])
        made.append(builder.name_output(part, target, f"half{number}"))
    return [*made, make_concatenation(builder, parts, target, CHANNELS)]


def _others(
    builder: GraphBuilder, op: OperatorT, halves: list[int], whole: int
) -> tuple[list[OperatorT], list[list[int]]]:
    """Return operators to prepare, and each half's other inputs."""
    kind = builder.kind(op)
    if kind == "MUL":
        return _factor(builder, _other(op, whole))
    rest = [int(i) for i in op.inputs[1:] if int(i) >= 0]
    if kind != "DEPTHWISE_CONV_2D":
        return [], [rest, rest]
    at = builder.shape(halves[0])[-1]
    return [], [[builder.add_slice(i, part) for i in rest] for part in (slice(at), slice(at, None))]


def _factor(builder: GraphBuilder, factor: int) -> tuple[list[OperatorT], list[list[int]]]:
    """Split the other factor of a product like the halves, which are equal."""
    *outer, channels = builder.shape(factor)
    parts = [builder.add_like(factor, (*outer, channels // 2)) for _ in range(2)]
    for number, part in enumerate(parts, 1):
        name = builder.graph.tensors[factor].name or b""
        builder.graph.tensors[part].name = name + b".split%d" % number
    options = schema().SplitOptionsT()
    options.numSplits = 2
    axis = builder.add_constant(np.array(CHANNELS, np.int32), "axis")
    op = builder.make_operator("SPLIT", [axis, factor], parts[0], options)
    op.outputs = np.array(parts, np.int32)
    return [op], [[parts[0]], [parts[1]]]
