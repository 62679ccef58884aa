"""float-islands: an int8 graph computes in integers throughout.

What: operators that compute in float inside a TFLite graph whose convolutions are int8 or uint8.
Why: each island costs a DEQUANTIZE and a QUANTIZE, float arithmetic and a break between int8
    kernels; integer-only accelerators refuse it.
Fix: quantize with an operator set of TFLITE_BUILTINS_INT8 alone, or replace the operator that
    has no int8 form.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import FLOATS, QUANTIZED, Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "float-islands"
SEVERITY = "warning"
COMPUTE = frozenset({"conv2d", "depthwise_conv2d", "fully_connected", "matmul"})
BORDER = frozenset({"quantize", "dequantize", "cast"})


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each island, at its first operator."""
    if graph.format != "tflite" or not is_quantized(graph):
        return
    for island in _islands(graph):
        names = ", ".join(dict.fromkeys(node.native for node in island))
        count = f"{len(island)} operator{'' if len(island) == 1 else 's'}"
        message = f"{count} of an int8 graph compute in float: {names}"
        yield finding_at(
            CODE, SEVERITY, island[0], message, "quantize the whole graph, or replace them"
        )


def is_quantized(graph: Graph) -> bool:
    """Say whether some convolution or matrix product has integer activations."""
    return any(
        graph.dtype(name) in QUANTIZED
        for node in graph.nodes
        if node.op in COMPUTE
        for name in graph.activations(node)
    )


def _islands(graph: Graph) -> list[list[Node]]:
    """Return the float operators, those joined by float values together."""
    island_of: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op in BORDER or not _is_float(graph, node):
            continue
        joined = {id(i): i for i in (island_of.get(name) for name in node.inputs) if i is not None}
        merged = [*(n for island in joined.values() for n in island), node]
        if len(joined) == 1:  # the common case, without copying the island for each operator
            merged = next(iter(joined.values()))
            merged.append(node)
        elif joined:
            island_of.update((o, merged) for n in merged for o in n.outputs)
        island_of.update(dict.fromkeys(node.outputs, merged))
    return list({id(island): island for island in island_of.values()}.values())


def _is_float(graph: Graph, node: Node) -> bool:
    computed = [name for name in node.outputs if name not in graph.constants]
    return any(graph.dtype(name) in FLOATS for name in computed)
