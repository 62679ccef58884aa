"""Which XNNPACK partition each node is in.

The runtime tells the number of delegate kernels and the nodes outside. Their members follow from
TFLite's own way to make them (``PartitionGraphIntoIndependentNodeSubsets``): take every node that
can run and is of the delegate, and those that can run after them, until none is left; then the
same with the others; and so on in turns. So no edge leads back to an earlier stage.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph
from ghostdeploy.schema import Partitions


@dataclass(frozen=True)
class Stage:
    """One turn: ``partition`` counts from 1, 0 for nodes outside; ``ops`` are theirs."""

    order: int
    partition: int
    nodes: tuple[int, ...]
    ops: tuple[str, ...] = ()


def stages(graph: Graph, partitions: Partitions | None) -> tuple[Stage, ...]:
    """The stages in order of execution; nothing where nothing was measured."""
    if partitions is None:
        return ()
    outside = {name for name, _ in partitions.outside}
    taken = [not outside & {node.name, *node.outputs[:1]} for node in graph.nodes]
    made: list[Stage] = []
    for delegated, members in _turns(taken, *_dependencies(graph)):
        number = 1 + sum(stage.partition > 0 for stage in made) if delegated else 0
        ops = () if delegated else tuple(dict.fromkeys(graph.nodes[i].native for i in members))
        made.append(Stage(len(made), number, tuple(sorted(members)), ops))
    return tuple(made)


def _dependencies(graph: Graph) -> tuple[list[int], list[list[int]]]:
    """How many nodes each waits for, and which wait for it."""
    producer = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
    waits = [0] * len(graph.nodes)
    waiting: list[list[int]] = [[] for _ in graph.nodes]
    for i, node in enumerate(graph.nodes):
        for source in {producer[name] for name in node.inputs if name in producer}:
            if source < i:  # a damaged file may go in circles
                waits[i] += 1
                waiting[source].append(i)
    return waits, waiting


def _turns(
    taken: list[bool], waits: list[int], waiting: list[list[int]]
) -> list[tuple[bool, list[int]]]:
    ready: dict[bool, deque[int]] = {True: deque(), False: deque()}
    for i, count in enumerate(waits):
        if not count:
            ready[taken[i]].append(i)
    turn = taken[0] if taken else True
    turns: list[tuple[bool, list[int]]] = []
    while ready[turn]:
        members = []
        while ready[turn]:
            node = ready[turn].popleft()
            members.append(node)
            for after in waiting[node]:
                waits[after] -= 1
                if not waits[after]:
                    ready[taken[after]].append(after)
        turns.append((turn, members))
        turn = not turn
    return turns
