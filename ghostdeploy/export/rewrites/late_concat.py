"""late-concat: the Ghost module's two halves joined later, or never.

What: a CONCATENATION of channels whose only reader is a DEPTHWISE_CONV_2D of stride 2 goes behind
    it: each half gets its part of the filter, and the smaller results are joined. One whose only
    reader is a 1×1 CONV_2D of at most sixteen channels goes, in float: each half is multiplied by
    its part of the weights, and the products are added.
Why: a concatenation copies every pixel of both halves, which costs most where the maps are large
    and have few channels: the first two blocks.
Exact: the same products; in float a sum may be rounded in another order.
Holds for: float; int8 behind a depthwise convolution, where the halves share the whole's scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of, scaling
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema

KEEPS_FUNCTION = True
NONE = -1  # TFLite's mark of an input that is left out
MAX_CHANNELS = 16  # two tiles of XNNPACK's; with more, adding costs what the copies did


def apply(model: ModelT) -> int:
    """Move or remove every concatenation that fits and return their number."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    changed = 0
    # A concatenation that moved behind a depthwise convolution may be removable there.
    while place := _first(builder):
        builder.replace(place.gone, place.replacement(builder))
        changed += 1
    return changed


@dataclass(frozen=True)
class _Place:
    """A concatenation, the PAD behind it or None, and the convolution that reads it."""

    concat: OperatorT
    pad: OperatorT | None
    reader: OperatorT

    @property
    def gone(self) -> list[OperatorT]:
        return [op for op in (self.concat, self.pad, self.reader) if op is not None]

    def replacement(self, builder: GraphBuilder) -> list[OperatorT]:
        if builder.kind(self.reader) == "DEPTHWISE_CONV_2D":
            return _behind_depthwise(builder, self)
        return split_pointwise(builder, self.reader, [int(i) for i in self.concat.inputs])


def _first(builder: GraphBuilder) -> _Place | None:
    readers = readers_of(builder.graph)

    def only_reader(op: OperatorT) -> OperatorT | None:
        found = readers.get(int(op.outputs[0]), ())
        return found[0] if len(found) == 1 else None

    for op in builder.graph.operators:
        if builder.kind(op) != "CONCATENATION" or not _joins_two_halves(builder, op):
            continue
        pad: OperatorT | None = None
        reader = only_reader(op)
        if reader is not None and builder.kind(reader) == "PAD":
            pad, reader = reader, only_reader(reader)
        if reader is None or int(reader.inputs[0]) != int((pad or op).outputs[0]):
            continue
        kind = builder.kind(reader)
        strides = kind == "DEPTHWISE_CONV_2D" and _strides(builder, reader)
        if strides or (kind == "CONV_2D" and pad is None and _is_narrow(builder, reader)):
            return _Place(op, pad, reader)
    return None


def _joins_two_halves(builder: GraphBuilder, op: OperatorT) -> bool:
    tensors = [builder.graph.tensors[i] for i in (*op.inputs, *op.outputs)]
    types, known = schema().TensorType, {tensor.type for tensor in tensors}
    alike = known == {types.FLOAT32} or (
        known == {types.INT8} and all(scaling(t) == scaling(tensors[-1]) for t in tensors)
    )
    return bool(len(op.inputs) == 2 and alike and op.builtinOptions.axis in (3, -1))


def _strides(builder: GraphBuilder, op: OperatorT) -> bool:
    options = op.builtinOptions
    constant = all(builder.values(int(i)) is not None for i in op.inputs[1:])
    return bool(options.strideH == options.strideW == 2 and constant and _one_each(builder, op))


def _one_each(builder: GraphBuilder, op: OperatorT) -> bool:
    """Return whether there is one output channel an input channel."""
    return builder.shape(int(op.inputs[0]))[3] == builder.shape(int(op.outputs[0]))[3]


def _is_narrow(builder: GraphBuilder, op: OperatorT) -> bool:
    weights = builder.float_values(int(op.inputs[1]))
    options = op.builtinOptions
    if weights is None or not options.strideH == options.strideW == 1:
        return False
    return bool(weights.shape[1:3] == (1, 1) and weights.shape[0] <= MAX_CHANNELS)


def _behind_depthwise(builder: GraphBuilder, place: _Place) -> list[OperatorT]:
    target, start = int(place.reader.outputs[0]), 0
    made, halves = list[OperatorT](), list[int]()
    _, height, width, _ = builder.shape(target)
    for number, half in enumerate((int(i) for i in place.concat.inputs), 1):
        channels = builder.shape(half)[3]
        if place.pad is not None:
            padded = builder.add_like(
                half, (*builder.shape(int(place.pad.outputs[0]))[:3], channels)
            )
            pad = builder.copy_operator(place.pad, [half, *place.pad.inputs[1:]], padded)
            made.append(builder.name_output(pad, target, f"pad{number}"))
            half = padded
        part = slice(start, start + channels)
        constants = [builder.add_slice(int(i), part) for i in place.reader.inputs[1:]]
        output = builder.add_like(target, (1, height, width, channels))
        op = builder.copy_operator(place.reader, [half, *constants], output)
        made.append(builder.name_output(op, target, f"half{number}"))
        halves.append(output)
        start += channels
    return [*made, builder.copy_operator(place.concat, halves, target)]


def split_pointwise(
    builder: GraphBuilder, reader: OperatorT, inputs: Sequence[int]
) -> list[OperatorT]:
    """Make of a 1×1 CONV_2D of joined ``inputs`` one of each, and an ADD that sums them.

    The first has the bias, the ADD the activation.
    """
    target, start = int(reader.outputs[0]), 0
    made, parts = list[OperatorT](), list[int]()
    filters, *biases = (int(i) for i in reader.inputs[1:])
    bias = biases[0] if biases else NONE
    zeros = builder.add_constant(np.zeros(builder.shape(target)[3], np.float32), "zeros")
    for number, half in enumerate(inputs, 1):
        channels = builder.shape(half)[3]
        part = builder.add_slice(filters, slice(start, start + channels))
        output = builder.add_like(target, builder.shape(target))
        op = builder.copy_operator(reader, [half, part, bias if number == 1 else zeros], output)
        op.builtinOptions.fusedActivationFunction = 0
        made.append(builder.name_output(op, target, f"half{number}"))
        parts.append(output)
        start += channels
    options = schema().AddOptionsT()
    options.fusedActivationFunction = reader.builtinOptions.fusedActivationFunction
    return [*made, builder.make_operator("ADD", parts, target, options)]
