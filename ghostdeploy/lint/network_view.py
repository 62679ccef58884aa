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


def _before(graph: Graph, node: Node, place: int = 0) -> Node | None:
    """The node behind an input, if it has inputs and outputs itself, as in a damaged file it may
    not.
    """
    found = graph.producers.get(node.inputs[place]) if len(node.inputs) > place else None
    return found if found and found.inputs and found.outputs else None


def _after(graph: Graph, node: Node) -> Node | None:
    """The one that alone reads the node's output."""
    found = graph.only_consumer(node.outputs[0]) if node.outputs else None
    return found if found and found.inputs and found.outputs else None


def _gates(graph: Graph, mul: Node) -> Found | None:
    """A multiplication that reads each row of a map twice: a resize and a plain multiplication."""
    end = _after(graph, mul) if mul.op == "mul" else None
    views = [_before(graph, mul, place) for place in (0, 1)]
    if end is None or end.op != "reshape":
        return None
    for gate, rows in (views, views[::-1]):
        if gate is None or rows is None or {gate.op, rows.op} != {"reshape"}:
            return None
        pair = _before(graph, gate)
        if pair is not None and pair.op == "concat" and pair.inputs == pair.inputs[:1] * 2:
            resize = replace(gate, op="resize", inputs=pair.inputs[:1], native="broadcast form")
            inputs = (rows.inputs[0], gate.outputs[0])
            product = replace(mul, name=end.name, inputs=inputs, outputs=end.outputs)
            product = replace(product, module=end.module)
            return (pair, rows, mul), {gate.name: (resize,), end.name: (product,)}
    return None


def _rows(graph: Graph, conv: Node) -> Found | None:
    """A 1×1 convolution between two reshapes to and from a single row."""
    start, end = _before(graph, conv), _after(graph, conv)
    if conv.op != "conv2d" or start is None or graph.shape(conv.inputs[0])[1:2] != (1,):
        return None
    if end is None or {start.op, end.op} != {"reshape"}:
        return None
    inputs = (start.inputs[0], *conv.inputs[1:])
    plain = replace(conv, name=end.name, inputs=inputs, outputs=end.outputs, module=end.module)
    return (start, conv), {end.name: (plain,)}


def _taps(graph: Graph, last: Node) -> Found | None:
    """A padding and two depthwise convolutions of three taps: one of five."""
    first = _before(graph, last)
    if last.kernel not in ((1, 3), (3, 1)) or first is None or first.kernel != last.kernel:
        return None
    pad = _before(graph, first)
    same = first.op == last.op == "depthwise_conv2d" and pad is not None and pad.op == "pad"
    if not same or pad is None or _after(graph, first) is not last:
        return None
    kernel = (2 * last.kernel[0] - 1, 2 * last.kernel[1] - 1)
    whole = replace(last, inputs=(pad.inputs[0], *last.inputs[1:]), kernel=kernel)
    return (pad, first), {last.name: (whole,)}
