"""fp16-weights: fp16 weights are turned into fp32 right before their operator.

What: fp16 weights that a DEQUANTIZE, in ONNX a Cast, turns into fp32 when the model is loaded.
    One info for the whole graph; a warning where something else stands between it and the operator.
Why: the file is half as large, the memory is not: XNNPACK unpacks the weights once, builtin
    kernels keep both copies. XNNPACK recognizes only a DEQUANTIZE that feeds the operator itself.
Fix: nothing, where the file's size is what counts; move the operator in between to the export.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "fp16-weights"
SEVERITY = "warning"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for the graph, and one warning for each operator in between."""
    unpacking = [node for node in graph.nodes if _unpacks(graph, node)]
    if not unpacking:
        return
    message = f"{len(unpacking)} fp16 weights are turned into fp32 when the model is loaded"
    yield finding_at(
        CODE, "info", unpacking[0], message, "nothing, where the file's size is what counts"
    )
    for node in unpacking:
        for reader in graph.consumers.get(node.outputs[0], ()):
            if graph.constants.issuperset(reader.inputs):
                message = f"{reader.native} between fp16 weights and their operator"
                yield finding_at(
                    CODE, SEVERITY, reader, message, "apply it to the weights before export"
                )


def _unpacks(graph: Graph, node: Node) -> bool:
    if node.op not in ("dequantize", "cast") or not node.inputs or not node.outputs:
        return False
    source, target = (graph.values[name] for name in (node.inputs[0], node.outputs[0]))
    return source.constant and source.dtype == "float16" and target.dtype in ("float32", "")
