"""custom-ops: every operator is one that the format defines.

What: operators that the format does not define: TFLite's CUSTOM and Flex (TensorFlow) ones,
    ONNX operators of another domain or unknown to onnx.
Why: a phone's runtime has none of them; the model does not load until an app brings its own
    kernel (Flex: tens of MB of TensorFlow). The few that every TFLite has are told as info.
Fix: express the module in builtin operators, or convert without ``allow_custom_ops`` and
    SELECT_TF_OPS to see what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "custom-ops"
SEVERITY = "error"
# BuiltinOpResolver registers these (tensorflow/lite/core/kernels/register.cc, TensorFlow 2.19).
EVERYWHERE = frozenset(
    {"AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"}
)


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each operator."""
    for node in graph.nodes:
        if node.custom:
            yield _finding(node)


def _finding(node: Node) -> Finding:
    name = node.native.removeprefix("CUSTOM:")
    if name in EVERYWHERE:
        message = f"{name} is a custom operator that TFLite itself brings"
        return finding_at(CODE, "info", node, message, "nothing, on TFLite")
    if name.startswith("Flex"):
        message = f"{name} is TensorFlow's own operator: the app must ship the Flex delegate"
    else:
        named = name or "an operator without a name"
        message = f"{named} is a custom operator: the app must bring a kernel"
    return finding_at(CODE, SEVERITY, node, message, "express the module in builtin operators")
