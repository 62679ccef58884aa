"""grouped-conv: a depthwise convolution is written as DEPTHWISE_CONV_2D.

What: a TFLite CONV_2D with one input channel a group: a depthwise convolution in disguise.
Why: TFLite's builtin kernels run it the slow way and some delegates refuse it.
Fix: export with ghostdeploy, whose ``depthwise`` rewrite turns it into DEPTHWISE_CONV_2D.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "grouped-conv"
SEVERITY = "warning"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each convolution."""
    for node in graph.nodes:
        if node.native != "CONV_2D" or len(node.inputs) < 2:
            continue
        image, weights = (graph.values[name].shape for name in node.inputs[:2])
        if not image or not weights or len(image) != 4 or len(weights) != 4:
            continue
        if weights[3] == 1 < image[3]:
            message = "a depthwise convolution written as a grouped CONV_2D"
            fix = "export with ghostdeploy, or rewrite it as DEPTHWISE_CONV_2D"
            yield finding_at(CODE, SEVERITY, node, message, fix)
