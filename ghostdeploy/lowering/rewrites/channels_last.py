"""channels-last: one layout throughout, instead of a detour to ONNX's and back.

What: TRANSPOSE from NHWC to NCHW goes behind the element-wise operators, concatenations, paddings
    and means that read it, until it meets its inverse, and both go. A RESHAPE that only moves
    sides of 1 counts as one.
Why: onnx2tf 2 leaves the multiplication of a squeeze-and-excitation, and a network's head, in
    ONNX's layout; each TRANSPOSE there copies the whole map.
Exact: the same numbers at other places.
Holds for: graphs that have fewer such operators afterwards; others stay as they are.
"""

from __future__ import annotations

import copy

import numpy as np

from ghostdeploy.flatbuffer import ModelT, OperatorT, tensor_name
from ghostdeploy.lowering.rewrites.build import GraphBuilder
from ghostdeploy.lowering.rewrites.operators import make_transpose
from ghostdeploy.lowering.rewrites.turned import TO_NCHW, TO_NHWC, turn_of, turned_operator

KEEPS_FUNCTION = True
MOVING = ("TRANSPOSE", "RESHAPE")


def apply(model: ModelT) -> int:
    """Return how many operators that only move data are gone."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    graph = builder.graph
    if not any(turn_of(builder, op) == TO_NCHW for op in graph.operators):
        return 0
    late = _LateTurns(builder)
    gone = _count_moving(builder, graph.operators) - _count_moving(builder, late.operators)
    if gone > 0:
        late.put_in()
    return max(gone, 0)


def _count_moving(builder: GraphBuilder, operators: list[OperatorT]) -> int:
    return sum(builder.kind(op) in MOVING for op in operators)


class _LateTurns:
    """A graph's ``operators`` with every TRANSPOSE to NCHW as late as it can be.

    ``ends`` are its outputs. ``sources`` are the tensors with channels last that those in NCHW are
    made of, and ``same`` what stands for a tensor that an inverse TRANSPOSE made once more.
    """

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.sources: dict[int, int] = {}
        self.same: dict[int, int] = {}
        self.ends = [int(i) for i in builder.graph.outputs]
        self.operators: list[OperatorT] = []
        for op in builder.graph.operators:
            self._take(op)
        self._drop_unread()

    def _take(self, op: OperatorT) -> None:
        source, target = int(op.inputs[0]) if len(op.inputs) else -1, int(op.outputs[0])
        turn = turn_of(self.builder, op)
        if turn == TO_NCHW:
            self.sources[target] = self.same.get(source, source)
        elif turn == TO_NHWC and source in self.sources and self._stand_in(source, target):
            return
        elif made := turned_operator(self.builder, op, self.sources):
            self.operators.append(made)
            last = int(made.outputs[0])
            if last == target:  # it gives no map any more
                return
            self.sources[target] = last
            op = make_transpose(self.builder, last, target, TO_NCHW)
        self.operators.append(self._on_same(op))

    def _stand_in(self, source: int, target: int) -> bool:
        """Let the tensor that ``source`` is made of stand for ``target``; not for two outputs."""
        first = self.sources[source]
        if target in self.ends:
            if first in self.ends or first in [int(i) for i in self.builder.graph.inputs]:
                return False
            self.ends[self.ends.index(target)] = first
        self.same[target] = first
        return True

    def _on_same(self, op: OperatorT) -> OperatorT:
        made = copy.copy(op)
        made.inputs = np.array([self.same.get(int(i), int(i)) for i in op.inputs], np.int32)
        return made

    def _drop_unread(self) -> None:
        """Drop what only led to a tensor that another one stands for."""
        read, kept = set(self.ends), []
        for op in reversed(self.operators):
            if read.isdisjoint(int(i) for i in op.outputs):
                continue
            read.update(int(i) for i in op.inputs)
            kept.append(op)
        self.operators = kept[::-1]

    def put_in(self) -> None:
        """Give the graph these operators; a tensor whose twin is gone takes its name."""
        graph = self.builder.graph
        made = {int(i) for op in self.operators for i in op.outputs}
        for gone, last in self.sources.items():
            name = tensor_name(graph.tensors[gone])
            if gone not in made and tensor_name(graph.tensors[last]).rstrip("'") == name:
                graph.tensors[last].name = name.encode()
        for old, new in zip(graph.outputs, self.ends, strict=True):
            graph.tensors[new].name = graph.tensors[int(old)].name
        graph.operators = self.operators
        graph.outputs = np.array(self.ends, np.int32)
