"""The two halves of a Ghost module kept apart, so that they need not share a scale.

A concatenation has one scale in int8. Here it is pushed behind what reads it: PAD, MEAN, depthwise
convolutions and products take each half alone (the other factor is split), and a 1×1 convolution,
which mixes the halves anyway, multiplies each by its part of the weights and adds. What adds halves
channel by channel (the shortcut) still gets them joined: a sum has one scale as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.export import metadata, tidy
from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of
from ghostdeploy.export.rewrites.late_concat import summed
from ghostdeploy.flatbuffer import schema

CHANNELS = 3  # the axis, NHWC


def keep_apart(model: bytes) -> bytes:
    """The same function (float TFLite), sums rounded in another order at most."""
    tree = flatbuffer.load(model, "the model")
    builder = GraphBuilder(tree, tree.subgraphs[0])
    while joined := _first(builder):
        joined.push(builder)
    tidy.drop_unused(tree)
    return metadata.attach(flatbuffer.dump(tree), metadata.attached(model))


@dataclass(frozen=True)
class _Joined:
    """A concatenation of two halves and all that reads it."""

    concat: Any
    readers: tuple[Any, ...]

    def push(self, builder: GraphBuilder) -> None:
        halves = [int(i) for i in self.concat.inputs]
        for reader in self.readers:
            builder.replace([reader], _split(builder, reader, halves, int(self.concat.outputs[0])))
        builder.replace([self.concat], [])


def _first(builder: GraphBuilder) -> _Joined | None:
    readers, float32 = readers_of(builder.graph), schema().TensorType.FLOAT32
    for op in builder.graph.operators:
        if builder.kind(op) != "CONCATENATION" or op.builtinOptions.axis not in (CHANNELS, -1):
            continue
        whole = int(op.outputs[0])
        found = readers.get(whole, ())
        two = len(op.inputs) == 2 and builder.graph.tensors[whole].type == float32
        if two and found and all(r and _takes_halves(builder, r, whole) for r in found):
            return _Joined(op, tuple(found))
    return None


def _takes_halves(builder: GraphBuilder, op: Any, whole: int) -> bool:
    kind, options = builder.kind(op), op.builtinOptions
    if kind == "CONV_2D":
        weights = builder.numbers(int(op.inputs[1]))
        narrow = weights is not None and weights.shape[1:3] == (1, 1)
        return bool(narrow and options.strideH == options.strideW == 1)
    if kind == "DEPTHWISE_CONV_2D":
        return bool(options.depthMultiplier == 1)
    if kind == "MUL":
        other = _other(op, whole)
        return bool(other != whole and builder.shape(other)[-1] == builder.shape(whole)[-1])
    return kind in ("PAD", "MEAN")


def _other(op: Any, whole: int) -> int:
    first, second = map(int, op.inputs)
    return second if first == whole else first


def _split(builder: GraphBuilder, op: Any, halves: list[int], whole: int) -> list[Any]:
    """What replaces ``op``: it on each half, and the sum or the concatenation of both."""
    if builder.kind(op) == "CONV_2D":
        return summed(builder, op, halves)
    target = int(op.outputs[0])
    made, rest = _others(builder, op, halves, whole)
    parts = []
    for number, (half, others) in enumerate(zip(halves, rest, strict=True), 1):
        channels = int(builder.shape(half)[-1])
        parts.append(builder.like(target, (*builder.shape(target)[:-1], channels)))
        part = builder.copy(op, [half, *others], parts[-1])
        made.append(builder.named(part, target, f"half{number}"))
    return [*made, builder.concatenation(parts, target, CHANNELS)]


def _others(
    builder: GraphBuilder, op: Any, halves: list[int], whole: int
) -> tuple[list[Any], list[list[int]]]:
    """Operators to prepare, and each half's other inputs."""
    kind = builder.kind(op)
    if kind == "MUL":
        return _factor(builder, _other(op, whole))
    rest = [int(i) for i in op.inputs[1:] if int(i) >= 0]
    if kind != "DEPTHWISE_CONV_2D":
        return [], [rest, rest]
    at = int(builder.shape(halves[0])[-1])
    return [], [[builder.part(i, part) for i in rest] for part in (slice(at), slice(at, None))]


def _factor(builder: GraphBuilder, factor: int) -> tuple[list[Any], list[list[int]]]:
    """The other factor of a product, split like the halves, which are equal."""
    *outer, channels = map(int, builder.shape(factor))
    parts = [builder.like(factor, (*outer, channels // 2)) for _ in range(2)]
    for number, part in enumerate(parts, 1):
        name = builder.graph.tensors[factor].name or b""
        builder.graph.tensors[part].name = name + b".split%d" % number
    options = schema().SplitOptionsT()
    options.numSplits = 2
    axis = builder.constant(np.array(CHANNELS, np.int32), "axis")
    op = builder.operator("SPLIT", [axis, factor], parts[0], options)
    op.outputs = np.array(parts, np.int32)
    return [op], [[parts[0]], [parts[1]]]
