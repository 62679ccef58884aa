"""A view of the export's own nearest up-sampling as the one resize that it is.

``export/rewrites/nearest_depth.py`` writes a concatenation of four copies of one value,
DEPTH_TO_SPACE, and for odd sizes an edge (a depthwise 1×1 that keeps one row or column)
concatenated in front. Rules that ask for a resize look at the graph through this.
"""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.lint.graph import Graph, Node

COPIES = 4  # of DEPTH_TO_SPACE with blocks of 2×2


def find_resizes(graph: Graph) -> dict[str, tuple[Node, ...]]:
    """Return the nodes that make up each up-sampling, in order, by the name of the last."""
    found = (_group(graph, node) for node in graph.nodes if node.op == "depth_to_space")
    return {group[-1].name: group for group in found if group}


def merge_resizes(graph: Graph) -> Graph:
    """Return ``graph`` with each up-sampling as one node of the neutral operator "resize".

    The node has the name and the output of the up-sampling's last.
    """
    groups = find_resizes(graph)
    inside = {node.name for group in groups.values() for node in group}
    nodes = (
        _as_resize(groups[node.name]) if node.name in groups else node
        for node in graph.nodes
        if node.name in groups or node.name not in inside
    )
    return replace(graph, nodes=tuple(nodes))


def _as_resize(group: tuple[Node, ...]) -> Node:
    source = group[0].inputs[:1]
    return replace(group[-1], op="resize", inputs=source, native="DEPTH_TO_SPACE form", kernel=None)


def _group(graph: Graph, depth_to_space: Node) -> tuple[Node, ...]:
    """Return the nodes of the up-sampling around ``depth_to_space``, () if it is another use."""
    stack = graph.producers.get(depth_to_space.inputs[0])
    if stack is None or stack.op != "concat" or len(stack.inputs) != COPIES:
        return ()
    if len(set(stack.inputs)) != 1:
        return ()
    group = [stack, depth_to_space]
    while edge := _edge(graph, group[-1]):
        group.extend(edge)
    return tuple(group)


def _edge(graph: Graph, last: Node) -> tuple[Node, ...]:
    """Return the pick and the concatenation that put an edge in front of ``last``, or ()."""
    readers = graph.consumers.get(last.outputs[0], ())
    if {node.op for node in readers} != {"depthwise_conv2d", "concat"} or len(readers) != 2:
        return ()
    pick, joined = sorted(readers, key=lambda node: node.op == "concat")
    if joined.inputs != (pick.outputs[0], last.outputs[0]) or pick.kernel != (1, 1):
        return ()
    return pick, joined
