"""The memory that a graph needs, by its tensors' sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph

MB = 1e6


@dataclass(frozen=True)
class Peak:
    """The size of the largest set of activations alive at once, and the node that runs then.

    ``node`` is an input's name where nothing is larger than the input.
    """

    nbytes: int
    node: str


def count_weight_bytes(graph: Graph) -> int:
    """Count the bytes of the constants of all the file's graphs, shared ones once."""
    seen: dict[str, int] = {}
    for each in (graph, *graph.subgraphs):
        for value in each.values.values():
            if value.constant and value.nbytes:
                seen[value.storage or value.name] = value.nbytes
    return sum(seen.values())


def find_peak(graph: Graph) -> Peak:
    """Return when, in order of execution, most bytes of activations are alive.

    A free side counts as 1, an unknown size as 0. A node's inputs and outputs are alive
    together: no kernel is assumed to work in place.
    """
    last = _last_uses(graph)
    size = {name: value.nbytes or 0 for name, value in graph.values.items()}
    alive = {name for name in graph.inputs if name not in graph.constants}
    now = sum(size.get(name, 0) for name in alive)
    peak = Peak(now, graph.inputs[0] if graph.inputs else "")
    for position, node in enumerate(graph.nodes):
        made = {n for n in node.outputs if n not in graph.constants} - alive
        alive |= made
        now += sum(size.get(name, 0) for name in made)
        if now > peak.nbytes:
            peak = Peak(now, node.name)
        done = {n for n in {*node.inputs, *made} if n in alive and last.get(n, -1) <= position}
        alive -= done
        now -= sum(size.get(name, 0) for name in done)
    return peak


def _last_uses(graph: Graph) -> dict[str, int]:
    last: dict[str, int] = {}
    for position, node in enumerate(graph.nodes):
        last.update(dict.fromkeys(node.inputs, position))
    last.update(dict.fromkeys(graph.outputs, len(graph.nodes)))
    return last
