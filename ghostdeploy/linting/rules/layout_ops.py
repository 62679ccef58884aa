"""layout-ops: no operator only moves data.

What: reshape, transpose, slice, gather, shape and their like.
    Errors in a network of ours, warnings in one of others. A transpose from NCHW to NHWC or back
    is told as the converter's, not the network's: in TFLite wherever it stands, in ONNX at the
    graph's inputs and outputs.
Why: they do no arithmetic and touch all of the memory; on a phone they cost what the
    convolutions saved, and several of them split the graph for a delegate.
Fix: find the module that the finding names; GhostNetV2 needs none of them. Self-attention
    needs them by definition, so there they are told, not refused. A converter's own go with
    another input layout or another converter (docs/converters.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.network_view import view_network
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.linting.vocabulary import LAYOUT_OPS
from ghostdeploy.schema import Finding
from ghostdeploy.zoo import MODELS

CODE = "layout-ops"
SEVERITY = "error"
LAYOUTS = {
    (0, 2, 3, 1): "NCHW to NHWC",
    (0, 3, 1, 2): "NHWC to NCHW",
    (0, 2, 3, 4, 1): "NCDHW to NDHWC",
    (0, 4, 1, 2, 3): "NDHWC to NCDHW",
}
FIX = "rewrite that module without it"
CONVERTERS_FIX = (
    "convert with an NHWC input, or with a converter that changes the layout throughout"
)


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield a finding for each such operator: an info inside modules whose definition needs it."""
    row = MODELS.get(expected.spec.arch) if expected.spec else None
    allowed = row.reshaping_modules if row else ()
    for node in view_network(graph).nodes:
        if node.op not in LAYOUT_OPS or _casts_at_the_border(graph, node):
            continue
        where = f" from module {node.module}" if node.module else ""
        message = f"{node.native}{where} moves data without computing{_axes(graph, node)}"
        if any(node.module == m or node.module.startswith(f"{m}.") for m in allowed):
            yield finding_at(CODE, "info", node, message, "needed by the model's definition")
        else:
            severity = SEVERITY if expected.spec else "warning"
            fix = CONVERTERS_FIX if _is_the_converters(graph, node) else FIX
            yield finding_at(CODE, severity, node, message, fix)


def _axes(graph: Graph, node: Node) -> str:
    """Return what a transpose does, "" for other operators."""
    axes = _permutation(graph, node)
    if axes in LAYOUTS:
        whose = ", the converter's own" if _is_the_converters(graph, node) else ""
        return f": {LAYOUTS[axes]}{whose}"
    return f": axes {','.join(map(str, axes))}" if axes else ""


def _is_the_converters(graph: Graph, node: Node) -> bool:
    """Say whether a transpose is a change of layout that no network of this format asks for.

    TFLite's maps are NHWC: what torch permutes that way there is no operator. ONNX's are NCHW, so a
    network may well permute them inside, but not what the caller gives or gets.
    """
    if _permutation(graph, node) not in LAYOUTS:
        return False
    ends = {*graph.inputs, *graph.outputs}
    return graph.format == "tflite" or not ends.isdisjoint((*node.inputs, *node.outputs))


def _permutation(graph: Graph, node: Node) -> tuple[int, ...]:
    """Return the axes of a transpose, () of other operators and where they are not known."""
    if node.op != "transpose":
        return ()
    given = graph.numbers(node.inputs[1]) if len(node.inputs) > 1 else node.attributes.get("perm")
    return tuple(int(axis) for axis in given) if isinstance(given, (tuple, list)) else ()


def _casts_at_the_border(graph: Graph, node: Node) -> bool:
    """Say whether a cast is from the input's type or to the output's, as in fp16 models."""
    ends = (*graph.inputs, *graph.outputs)
    return node.op == "cast" and any(name in ends for name in (*node.inputs, *node.outputs))
