"""nnapi: the NNAPI delegate takes every operator.

What: TFLite operators that the NNAPI delegate leaves to the CPU.
Why: with the delegate each of them ends an accelerator's part of the graph. (Android 15 deprecates
    NNAPI; phones before it have it.)
Fix: replace the operator, or do not use the delegate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.delegates.operator_lists import NNAPI, find_untaken
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "nnapi"
SEVERITY = "info"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for each operator."""
    for node in find_untaken(graph, NNAPI):
        yield finding_at(CODE, SEVERITY, node, f"NNAPI has no {node.native}", "replace it")
