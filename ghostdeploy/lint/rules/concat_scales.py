"""concat-scales: the inputs of an int8 concatenation have its output's scale.

What: an int8 CONCATENATION whose inputs are not of its output's scale and zero point, or were
    brought to it by a QUANTIZE each.
Why: concatenation copies; with differing scales every element is also rescaled and rounded once
    more.
Fix: quantization-aware scales that agree (ReLU6, or one representative range for the parts), or a
    split of the next convolution's weights instead of the concatenation.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import QUANTIZED, Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "concat-scales"
SEVERITY = "warning"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each concatenation."""
    for node in graph.nodes:
        if node.native != "CONCATENATION" or not node.outputs:
            continue
        if graph.dtype(node.outputs[0]) not in QUANTIZED:
            continue
        count = sum(_is_rescaled(graph, name, node) for name in graph.activations(node))
        if count:
            message = f"{count} of {len(node.inputs)} inputs are rescaled to the output's scale"
            yield finding_at(CODE, SEVERITY, node, message, "give the parts one scale")


def _is_rescaled(graph: Graph, name: str, concat: Node) -> bool:
    if graph.values[name].quantization != graph.values[concat.outputs[0]].quantization:
        return True
    before = graph.producers.get(name)
    return (
        before is not None
        and before.op == "quantize"
        and graph.dtype(before.inputs[0]) == graph.dtype(name)
    )
