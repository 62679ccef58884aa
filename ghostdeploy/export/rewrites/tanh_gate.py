"""tanh-gate: the sigmoid as half of one plus a hyperbolic tangent, the halves in the weights.

What: LOGISTIC(x), of a map that only multiplies another, becomes TANH(x/2) + 1, which is twice
    the sigmoid. The first half goes into the convolution before it, the second into the
    convolutions that read the product, through PAD, MEAN and squeeze-excite on the way.
Why: XNNPACK's TANH is a rational function, its LOGISTIC an exponential and a division: about a
    quarter fewer instructions on ARM, the addition counted.
Exact: σ(x) = (1 + tanh(x/2))/2, and halving and doubling are exact in floating point; what is
    left is the rounding of the two kernels.
Holds for: float tensors whose every reader can take the half.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.export.rewrites.build import GraphBuilder, readers_of
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema, tensor_name

KEEPS_FUNCTION = True
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
RESIZES = ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")
CARRIERS = (*RESIZES, "PAD", "MEAN")  # what comes out of twice the input is twice the output


def apply(model: ModelT) -> int:
    """Replace every sigmoid that fits and return their number."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    count = 0
    for op in list(builder.graph.operators):
        if builder.kind(op) == "LOGISTIC" and (ends := _find_ends(builder, op)):
            _replace(builder, op, ends)
            count += 1
    return count


class _Unfit(Exception):
    """Tells that this sigmoid must stay."""


class _Ends:
    """The convolution before a sigmoid, those behind its product, and the tensors between."""

    def __init__(self, builder: GraphBuilder, sigmoid: OperatorT) -> None:
        self.builder = builder
        self.readers = readers_of(builder.graph)
        self.producers = {int(o): op for op in builder.graph.operators for o in op.outputs}
        self.halved: set[int] = set()
        self.doubled: set[int] = set()
        self.behind: list[OperatorT] = []
        self.before = self._back(int(sigmoid.inputs[0]))
        self._forward(int(sigmoid.outputs[0]))

    def _back(self, tensor: int) -> OperatorT:
        op = self.producers.get(tensor)
        if op is None or len(self.readers[tensor]) != 1:
            raise _Unfit
        self.halved.add(tensor)
        if self.builder.kind(op) in RESIZES:
            return self._back(int(op.inputs[0]))
        if self.builder.kind(op) not in CONVOLUTIONS or op.builtinOptions.fusedActivationFunction:
            raise _Unfit
        return self._with_constants(op)

    def _forward(self, tensor: int) -> None:
        """Follow what is doubled to the convolutions that halve it again."""
        self.doubled.add(tensor)
        for op in self.readers.get(tensor, ()):
            if op is None:
                raise _Unfit
            kind = self.builder.kind(op)
            if kind in CONVOLUTIONS and int(op.inputs[0]) == tensor:
                self.behind.append(self._with_constants(op))
            elif kind in CARRIERS or (kind == "MUL" and self._doubles_once(op)):
                self._forward(int(op.outputs[0]))
            else:
                raise _Unfit

    def _doubles_once(self, op: OperatorT) -> bool:
        one, two = (int(i) for i in op.inputs)
        fused = op.builtinOptions.fusedActivationFunction
        return not fused and one != two and not {one, two} <= self.doubled

    def _with_constants(self, op: OperatorT) -> OperatorT:
        if any(self.builder.float_values(int(i)) is None for i in op.inputs[1:]):
            raise _Unfit
        return op


def _find_ends(builder: GraphBuilder, sigmoid: OperatorT) -> _Ends | None:
    try:
        return _Ends(builder, sigmoid)
    except _Unfit:
        return None


def _replace(builder: GraphBuilder, sigmoid: OperatorT, ends: _Ends) -> None:
    source, target = int(sigmoid.inputs[0]), int(sigmoid.outputs[0])
    ends.before.inputs = _halves(builder, ends.before, (1, 2))
    for op in ends.behind:
        op.inputs = _halves(builder, op, (1,))
    for tensors, word in ((ends.halved, b".halved"), (ends.doubled, b".doubled")):
        for index in tensors:  # they are not what the network calls so
            entry = builder.graph.tensors[index]
            entry.name = (entry.name or b"") + word
    tangent = builder.add_like(target, builder.shape(target))
    one = builder.add_constant(np.ones(1, np.float32), "one")
    place = next(n for n, op in enumerate(builder.graph.operators) if op is sigmoid)
    builder.graph.operators[place : place + 1] = [
        builder.name_output(builder.make_operator("TANH", [source], tangent), target, "tanh"),
        builder.make_operator("ADD", [tangent, one], target, schema().AddOptionsT()),
    ]


def _halves(builder: GraphBuilder, op: OperatorT, places: tuple[int, ...]) -> NDArray[np.int32]:
    """Return ``op``'s inputs with half of the constants at ``places``."""
    inputs = [int(i) for i in op.inputs]
    for place in places:
        values = builder.float_values(inputs[place])
        assert values is not None
        name = tensor_name(builder.graph.tensors[inputs[place]])
        inputs[place] = builder.add_constant(values / np.float32(2), f"{name}.half")
    return np.array(inputs, np.int32)
