"""A view through the export's rewrites: the graph as the network was written.

What ``lowering/rewrites`` put in for speed becomes the one operator again that it stands for, so
that rules on the network's structure need not know them: the up-sampling of nearest-depth and
gate-broadcast, the rows of wide-tiles, the taps of narrow-taps; and of int8's halves kept apart the
two products with a split gate. What only changes the type between them goes first: a quantizer may
leave one operator of a rewrite in floating point.
"""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.nearest_depth_view import find_resizes, merge_resizes

TYPE_CHANGES = frozenset({"quantize", "dequantize"})

# What a pass finds around a node: nodes of the network, each with those that it stands for. It
# comes in the place of the last of them.
Merged = tuple[tuple[Node, tuple[Node, ...]], ...]


def view_network(graph: Graph) -> Graph:
    """Return ``graph`` without what the rewrites put in. Values inside of it go, others stay."""
    return _view(graph)[0]


def find_nodes_behind(graph: Graph) -> dict[str, tuple[Node, ...]]:
    """Return the nodes of ``graph`` that each node of its view stands for, by the latter's name.

    Those that stand for themselves may be left out.
    """
    return _view(graph)[1]


def _join_types(graph: Graph) -> Graph:
    """Return ``graph`` without QUANTIZE and DEQUANTIZE, of weights apart: readers read through."""
    source: dict[str, str] = {}
    kept = []
    for node in graph.nodes:
        activations = graph.activations(node)
        if node.op in TYPE_CHANGES and len(node.outputs) == 1 and activations == node.inputs[:1]:
            source[node.outputs[0]] = source.get(activations[0], activations[0])
        else:
            inputs = tuple(source.get(name, name) for name in node.inputs)
            kept.append(node if inputs == node.inputs else replace(node, inputs=inputs))
    if not source:
        return graph
    outputs = tuple(source.get(name, name) for name in graph.outputs)
    return replace(graph, nodes=tuple(kept), outputs=outputs)


def _view(graph: Graph) -> tuple[Graph, dict[str, tuple[Node, ...]]]:
    joined = _join_types(graph)
    behind = dict(find_resizes(joined))
    view = merge_resizes(joined)
    for find in (_gates, _rows, _taps, _halves):
        found = [entry for node in view.nodes for entry in find(view, node)]
        made = {members[-1].name: node for node, members in found}
        gone = {member.name for _, members in found for member in members}
        behind |= {
            node.name: tuple(n for m in members for n in behind.get(m.name, (m,)))
            for node, members in found
        }
        kept = (made.get(n.name, n) for n in view.nodes if n.name in made or n.name not in gone)
        view = replace(view, nodes=tuple(kept))
    if joined is not graph:  # whose nodes read through type changes: not the graph's own
        own = {node.name: node for node in graph.nodes}
        behind = {
            node.name: tuple(own[n.name] for n in behind.get(node.name, (node,)))
            for node in view.nodes
        }
    return view, behind


def _before(graph: Graph, node: Node, place: int = 0) -> Node | None:
    """Return the node behind an input, None where there is none with inputs and outputs.

    In a damaged file a node may have none.
    """
    found = graph.producers.get(node.inputs[place]) if len(node.inputs) > place else None
    return found if found and found.inputs and found.outputs else None


def _after(graph: Graph, node: Node) -> Node | None:
    """Return the node that alone reads the node's output."""
    found = graph.only_consumer(node.outputs[0]) if node.outputs else None
    return found if found and found.inputs and found.outputs else None


def _gates(graph: Graph, mul: Node) -> Merged:
    """Merge a product that reads each row of a map twice into a resize and a plain product."""
    end = _after(graph, mul) if mul.op == "mul" else None
    views = [_before(graph, mul, place) for place in (0, 1)]
    if end is None or end.op != "reshape":
        return ()
    for gate, rows in (views, views[::-1]):
        if gate is None or rows is None or {gate.op, rows.op} != {"reshape"}:
            return ()
        pair = _before(graph, gate)
        if pair is not None and pair.op == "concat" and pair.inputs == pair.inputs[:1] * 2:
            resize = replace(gate, op="resize", inputs=pair.inputs[:1], native="broadcast form")
            inputs = (rows.inputs[0], gate.outputs[0])
            product = replace(mul, name=end.name, inputs=inputs, outputs=end.outputs)
            product = replace(product, module=end.module)
            return (resize, (pair, gate)), (product, (rows, mul, end))
    return ()


def _rows(graph: Graph, conv: Node) -> Merged:
    """Merge a 1×1 convolution with the reshapes to and from a single row around it."""
    start, end = _before(graph, conv), _after(graph, conv)
    if conv.op != "conv2d" or start is None or graph.shape(conv.inputs[0])[1:2] != (1,):
        return ()
    if end is None or {start.op, end.op} != {"reshape"}:
        return ()
    inputs = (start.inputs[0], *conv.inputs[1:])
    plain = replace(conv, name=end.name, inputs=inputs, outputs=end.outputs, module=end.module)
    return ((plain, (start, conv, end)),)


def _taps(graph: Graph, last: Node) -> Merged:
    """Merge a padding and two depthwise convolutions of three taps into one of five."""
    first = _before(graph, last)
    if last.kernel not in ((1, 3), (3, 1)) or first is None or first.kernel != last.kernel:
        return ()
    pad = _before(graph, first)
    same = first.op == last.op == "depthwise_conv2d" and pad is not None and pad.op == "pad"
    if not same or pad is None or _after(graph, first) is not last:
        return ()
    kernel = (2 * last.kernel[0] - 1, 2 * last.kernel[1] - 1)
    whole = replace(last, inputs=(pad.inputs[0], *last.inputs[1:]), kernel=kernel)
    return ((whole, (pad, first, last)),)


def _halves(graph: Graph, split: Node) -> Merged:
    """Merge the products with a gate split for a Ghost module's two halves into one."""
    if split.op != "split" or len(split.outputs) != 2:
        return ()
    first, second = (graph.only_consumer(half) for half in split.outputs)
    gates = graph.activations(split)
    if first is None or second is None or {first.op, second.op} != {"mul"} or len(gates) != 1:
        return ()
    halves = tuple(name for name in first.inputs if name != split.outputs[0])
    outputs = (*first.outputs, *second.outputs)
    product = replace(second, inputs=(*halves, *gates), outputs=outputs)
    return ((product, (split, first, second)),)
