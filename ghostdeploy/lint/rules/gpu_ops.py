"""gpu-delegate: the GPU delegate takes every operator.

What: TFLite operators that the GPU delegate leaves to the CPU.
Why: with the delegate each of them moves its tensors from the GPU and back, which usually costs
    more than the delegate gains.
Fix: replace the operator, or run the model on the CPU, where it may be no loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.delegates.operator_lists import GPU, find_untaken
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "gpu-delegate"
SEVERITY = "info"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for each operator."""
    for node in find_untaken(graph, GPU):
        message = f"the GPU delegate has no {node.native}"
        yield finding_at(CODE, SEVERITY, node, message, "replace it, or stay on the CPU")
