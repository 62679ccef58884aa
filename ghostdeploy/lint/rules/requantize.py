"""requantize: no tensor changes its scale needlessly.

What: needless changes of scale in a TFLite graph:
    1. DEQUANTIZE directly followed by QUANTIZE;
    2. QUANTIZE from one integer type to the same with the same scale: it changes nothing;
    3. the same with another scale: a requantization (info).
    Those in front of a concatenation are rule concat-scales'; at the graph's own inputs and
    outputs they change the type for the caller and are left alone.
Why: each is a pass over the tensor, and the first two lose precision or do nothing for it.
Fix: quantize once, from the float graph, with one representative dataset.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import QUANTIZED, Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "requantize"
SEVERITY = "warning"
FIX = "quantize once, from the float graph"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each QUANTIZE."""
    if graph.format != "tflite":
        return
    for node in graph.nodes:
        if node.op != "quantize" or not node.inputs or not node.outputs:
            continue
        source = _dequantized(graph, node)
        if source:
            message = "DEQUANTIZE and QUANTIZE in a row" + _effect(graph, source, node.outputs[0])
            yield finding_at(CODE, SEVERITY, node, message, FIX)
        elif _is_requantization(graph, node):
            yield from _requantization(graph, node)


def _dequantized(graph: Graph, node: Node) -> str:
    """Return what a DEQUANTIZE in front of ``node`` reads, "" where there is none."""
    before = graph.producers.get(node.inputs[0])
    if before is None or before.op != "dequantize" or not before.inputs:
        return ""
    return before.inputs[0] if before.inputs[0] not in graph.constants else ""


def _effect(graph: Graph, before: str, after: str) -> str:
    return " that change nothing" if _same(graph, before, after) else ""


def _same(graph: Graph, a: str, b: str) -> bool:
    left, right = graph.values[a], graph.values[b]
    return (left.dtype, left.quantization) == (right.dtype, right.quantization)


def _is_requantization(graph: Graph, node: Node) -> bool:
    source, target = node.inputs[0], node.outputs[0]
    inner = source not in graph.inputs and target not in graph.outputs
    return inner and graph.dtype(source) == graph.dtype(target) in QUANTIZED


def _requantization(graph: Graph, node: Node) -> Iterator[Finding]:
    if _same(graph, node.inputs[0], node.outputs[0]):
        yield finding_at(
            CODE, SEVERITY, node, "QUANTIZE to the scale that the tensor already has", FIX
        )
    elif any(reader.op != "concat" for reader in graph.consumers.get(node.outputs[0], ())):
        yield finding_at(CODE, "info", node, "QUANTIZE from one scale to another", FIX)
