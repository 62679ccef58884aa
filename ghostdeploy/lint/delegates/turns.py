"""How a delegate that takes some of the nodes cuts a graph into partitions."""

from __future__ import annotations

from collections import deque
from collections.abc import Container

from ghostdeploy.lint.graph import Graph


def partitions(graph: Graph, taken: Container[int]) -> int:
    """The number of delegate kernels when the nodes at the positions ``taken`` are delegated.

    As TFLite's PartitionGraphIntoIndependentNodeSubsets does it: run all that is ready and of
    one kind, then all of the other kind, and so on.
    """
    waiting, ready = _ready_at_first(graph, taken)
    count = 0
    kind = min(((q[0], kind) for kind, q in ready.items() if q), default=(0, False))[1]
    readers = _readers(graph)
    while ready[True] or ready[False]:
        count += kind and bool(ready[kind])
        while ready[kind]:
            position = ready[kind].popleft()
            for name in set(graph.nodes[position].outputs):
                for reader in readers.get(name, ()):
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        ready[reader in taken].append(reader)
        kind = not kind
    return count


def _ready_at_first(
    graph: Graph, taken: Container[int]
) -> tuple[list[int], dict[bool, deque[int]]]:
    """For each node the number of inputs that other nodes compute; and who waits for none."""
    waiting = [sum(n in graph.producers for n in set(node.inputs)) for node in graph.nodes]
    ready: dict[bool, deque[int]] = {True: deque(), False: deque()}
    for position, count in enumerate(waiting):
        if not count:
            ready[position in taken].append(position)
    return waiting, ready


def _readers(graph: Graph) -> dict[str, list[int]]:
    readers: dict[str, list[int]] = {}
    for position, node in enumerate(graph.nodes):
        for name in set(node.inputs):
            readers.setdefault(name, []).append(position)
    return readers


def between(graph: Graph, taken: Container[int]) -> frozenset[int]:
    """The nodes outside that stand between taken ones: what cuts the graph."""
    after = _reached(graph, taken, forward=True)
    before = _reached(graph, taken, forward=False)
    return frozenset(p for p in range(len(graph.nodes)) if p not in taken and p in after & before)


def _reached(graph: Graph, taken: Container[int], *, forward: bool) -> set[int]:
    """Nodes with a taken one among their ancestors, or descendants."""
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
