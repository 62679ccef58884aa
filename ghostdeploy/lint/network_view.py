"""Seeing through the export's rewrites: the graph as the network was written.

What ``export/rewrites`` put in for speed becomes the one operator again that it stands for, so that
rules on the network's structure need not know them: the up-sampling of nearest-depth and
gate-broadcast, the rows of wide-tiles, the taps of narrow-taps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.resize_form import with_resizes

# A pass finds groups of nodes: those that go, and those that stand for them, by the name of the
# node in whose place they come.
Groups = dict[str, tuple[Node, ...]]
Found = tuple[Iterable[Node], Groups]


def network_view(graph: Graph) -> Graph:
    """``graph`` without the forms above. Values keep their names; those inside of a form go."""
    graph = with_resizes(graph)
    for find in (_gates, _rows, _taps):
        graph = _replaced(graph, find)
    return graph


def _replaced(graph: Graph, find: Callable[[Graph, Node], Found | None]) -> Graph:
    gone: set[str] = set()
    made: Groups = {}
    for node in graph.nodes:
        found = find(graph, node)
        if found:
            gone |= {other.name for other in found[0]}
            made |= found[1]
    nodes = (
        new
        for node in graph.nodes
        for new in made.get(node.name, () if node.name in gone else (node,))
    )
    return replace(graph, nodes=tuple(nodes))


def _gates(graph: Graph, mul: Node) -> Found | None:
    """A multiplication that reads each row of a map twice: a resize and a plain multiplication."""
    end = graph.only_consumer(mul.outputs[0]) if mul.op == "mul" else None
    views = [graph.producers.get(name) for name in mul.inputs]
    if end is None or end.op != "reshape" or len(views) != 2:
        return None
    for gate, rows in (views, views[::-1]):
        if gate is None or rows is None or {gate.op, rows.op} != {"reshape"}:
            return None
        pair = graph.producers.get(gate.inputs[0])
        if pair is not None and pair.op == "concat" and pair.inputs == pair.inputs[:1] * 2:
            resize = replace(gate, op="resize", inputs=pair.inputs[:1], native="broadcast form")
            inputs = (rows.inputs[0], gate.outputs[0])
            product = replace(mul, name=end.name, inputs=inputs, outputs=end.outputs)
            product = replace(product, module=end.module)
            return (pair, rows, mul), {gate.name: (resize,), end.name: (product,)}
    return None


def _rows(graph: Graph, conv: Node) -> Found | None:
    """A 1×1 convolution between two reshapes to and from a single row."""
    if conv.op != "conv2d" or graph.shape(conv.inputs[0])[1:2] != (1,):
        return None
    start, end = graph.producers.get(conv.inputs[0]), graph.only_consumer(conv.outputs[0])
    if start is None or end is None or {start.op, end.op} != {"reshape"}:
        return None
    inputs = (start.inputs[0], *conv.inputs[1:])
    plain = replace(conv, name=end.name, inputs=inputs, outputs=end.outputs, module=end.module)
    return (start, conv), {end.name: (plain,)}


def _taps(graph: Graph, last: Node) -> Found | None:
    """A padding and two depthwise convolutions of three taps: one of five."""
    first = graph.producers.get(last.inputs[0]) if last.inputs else None
    if last.kernel not in ((1, 3), (3, 1)) or first is None or first.kernel != last.kernel:
        return None
    pad = graph.producers.get(first.inputs[0])
    same = first.op == last.op == "depthwise_conv2d" and pad is not None and pad.op == "pad"
    if not same or pad is None or graph.only_consumer(first.outputs[0]) is not last:
        return None
    kernel = (2 * last.kernel[0] - 1, 2 * last.kernel[1] - 1)
    whole = replace(last, inputs=(pad.inputs[0], *last.inputs[1:]), kernel=kernel)
    return (pad, first), {last.name: (whole,)}
