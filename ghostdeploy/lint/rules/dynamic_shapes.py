"""dynamic-shapes: every shape is known when the model is exported.

What: tensors with a side that is known only when the model runs, the batch apart (rule batch):
    the graph's inputs, and the operators where such a shape begins.
Why: TFLite plans memory anew for them and XNNPACK, GPU and NNAPI delegates refuse what comes
    after; a shape computed in the graph adds Shape, Gather and Slice operators besides.
Fix: export for one input size. With torch take the dynamo exporter and
    ``F.interpolate(size=(int, int))``; for keras give ``Input(batch_size=1)`` and the image's size.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "dynamic-shapes"
SEVERITY = "warning"
FIX = "export for one fixed input size"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield a warning for each input, and for each operator that makes fixed shapes free."""
    for name in graph.inputs:
        if _is_free(graph, name):
            text = "×".join("?" if n < 0 else str(n) for n in graph.shape(name))
            yield Finding(CODE, SEVERITY, name, f"the input {name} is {text}", FIX)
    for node in graph.nodes:
        begins = any(_is_free(graph, n) for n in node.outputs)
        if begins and not any(_is_free(graph, n) for n in node.inputs):
            message = f"{node.native}'s output has a size that is known only when the model runs"
            yield finding_at(CODE, SEVERITY, node, message, FIX)


def _is_free(graph: Graph, name: str) -> bool:
    return any(side < 0 for side in graph.shape(name)[1:])
