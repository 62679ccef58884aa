"""int8-average-pool: no average pooling computes in int8.

What: AVERAGE_POOL_2D on int8 or uint8.
Why: XNNPACK has none: GhostNetV2 with average pooling makes 15 partitions in int8 and one with
    max pooling (58.0 M against 56.8 M instructions on an emulated Cortex-A76).
Fix: a depthwise convolution with equal weights is the same sum; or train with max pooling (the
    paper's variant). The export's ``pool-depthwise`` rewrite does the first.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "int8-average-pool"
SEVERITY = "warning"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each pooling."""
    for node in graph.nodes:
        if node.native != "AVERAGE_POOL_2D" or not node.inputs:
            continue
        dtype = graph.dtype(node.inputs[0])
        if dtype in ("int8", "uint8"):
            message = f"average pooling in {dtype}, which XNNPACK does not have"
            fix = "a depthwise convolution with equal weights computes the same"
            yield finding_at(CODE, SEVERITY, node, message, fix)
