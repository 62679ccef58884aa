"""The turns in which TFLite gives a graph to a delegate and to its own kernels.

They follow from TFLite's ``PartitionGraphIntoIndependentNodeSubsets``: take every node that can
run and is the delegate's, and those that can run after them, until none is left; then the same
with the others; and so on. So each of the delegate's turns is one partition, and no edge leads
back to an earlier turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph


@dataclass(frozen=True)
class Turn:
    """The positions of the nodes that run in one turn, as they become ready."""

    delegated: bool
    nodes: tuple[int, ...]


def take_turns(graph: Graph, taken: Container[int]) -> tuple[Turn, ...]:
    """Return the turns when the nodes at the positions ``taken`` are delegated."""
    waits, readers = _dependencies(graph)
    ready: dict[bool, deque[int]] = {True: deque(), False: deque()}
    for position, count in enumerate(waits):
        if not count:
            ready[position in taken].append(position)
    turns: list[Turn] = []
    delegated = 0 in taken
    while ready[delegated]:
        members = []
        while ready[delegated]:
            position = ready[delegated].popleft()
            members.append(position)
            for reader in readers[position]:
                waits[reader] -= 1
                if not waits[reader]:
                    ready[reader in taken].append(reader)
        turns.append(Turn(delegated, tuple(members)))
        delegated = not delegated
    return tuple(turns)


def _dependencies(graph: Graph) -> tuple[list[int], list[list[int]]]:
    """Return how many nodes each node waits for, and which nodes wait for it."""
    producer = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
    waits = [0] * len(graph.nodes)
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for i, node in enumerate(graph.nodes):
        for source in {producer[name] for name in node.inputs if name in producer}:
            if source < i:  # a damaged file may go in circles
                waits[i] += 1
                readers[source].append(i)
    return waits, readers


def count_partitions(graph: Graph, taken: Container[int]) -> int:
    """Count the delegate's partitions when the nodes at the positions ``taken`` are its."""
    return sum(turn.delegated for turn in take_turns(graph, taken))


def find_splitting(graph: Graph, taken: Container[int]) -> frozenset[int]:
    """Return the nodes outside that stand between taken ones: what splits the graph."""
    after = _reach(graph, taken, forward=True)
    before = _reach(graph, taken, forward=False)
    return frozenset(p for p in range(len(graph.nodes)) if p not in taken and p in after & before)


def _reach(graph: Graph, taken: Container[int], *, forward: bool) -> set[int]:
    """Return the nodes with a taken one among their ancestors, or descendants."""
    carried: set[str] = set()
    found: set[int] = set()
    nodes = list(enumerate(graph.nodes))
    for position, node in nodes if forward else reversed(nodes):
        come, go = (node.inputs, node.outputs) if forward else (node.outputs, node.inputs)
        reached = not carried.isdisjoint(come)
        if reached:
            found.add(position)
        if reached or position in taken:
            carried.update(go)
    return found
