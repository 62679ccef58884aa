"""antialias: no resize asks for antialiasing, which few runtimes do.

What: ONNX Resize with antialias=1 (opset 18 on) that makes the image smaller.
Why: onnxruntime, ExecuTorch 1.5.1 and ONNX's reference widen the filter; OpenVINO 2026.4.1, MNN
    3.6.1, TVM 0.27, onnx2tf 2.6.9 and coremltools 9.0 drop the attribute without a word,
    litert-torch 0.10.0 refuses it. TFLite has no such resize.
Fix: resize before the network, or by an average pooling in front of a plain resize.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "antialias"
SEVERITY = "warning"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each resize."""
    for node in graph.nodes:
        asked = node.native == "Resize" and node.attributes.get("antialias") == 1
        if asked and _may_shrink(graph, node):
            message = "antialias is dropped by most converters and runtimes without a word"
            yield finding_at(CODE, SEVERITY, node, message, "resize before the network")


def _may_shrink(graph: Graph, node: Node) -> bool:
    """Say whether a side gets smaller, or may: without that the attribute changes nothing."""
    if not node.inputs or not node.outputs:
        return False
    before, after = graph.shape(node.inputs[0]), graph.shape(node.outputs[0])
    if len(before) != len(after) or not before:
        return True
    return any(n < 1 or m < 1 or m < n for n, m in zip(before, after, strict=True))
