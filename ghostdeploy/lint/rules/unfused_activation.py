"""unfused-activation: an activation is fused into the operator before it.

What: a RELU, RELU6 or RELU_N1_TO_1 of its own behind a TFLite operator that can carry it, is
    read by nothing else and has none yet.
Why: builtin kernels write the whole tensor and read it again; the GPU delegate merges some.
Fix: put the activation directly behind the operator before converting (converters fuse it then),
    or set the operator's fused_activation_function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "unfused-activation"
SEVERITY = "warning"
ACTIVATIONS = frozenset({"RELU", "RELU6", "RELU_N1_TO_1"})
# Operators whose kernels apply fused_activation_function; CONCATENATION's refuses one.
CARRIERS = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "DIV",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "MUL",
        "SUB",
    }
)


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each activation."""
    for node in graph.nodes:
        if node.native not in ACTIVATIONS or not node.inputs:
            continue
        before = graph.producers.get(node.inputs[0])
        if before is None or before.native not in CARRIERS:
            continue
        alone = graph.only_consumer(node.inputs[0]) is node
        if alone and before.attributes.get("fusedActivationFunction") == 0:
            message = f"{node.native} could be fused into the {before.native} before it"
            yield finding_at(CODE, SEVERITY, node, message, "let the converter fuse it")
