"""xnnpack: the XNNPACK delegate takes every operator.

What: TFLite operators that the XNNPACK delegate leaves to TFLite's builtin kernels, and how many
    partitions that makes; an operator between delegated ones is said to split the graph.
Why: builtin kernels are slower, and every border between partitions costs a copy and a change
    of layout. ``ghostdeploy.lint.delegates.xnnpack`` holds the table and says where it was read
    from.
Fix: use the operator that the finding names in a form XNNPACK has; exporting with ghostdeploy
    rewrites the usual ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.delegates.turns import count_partitions, find_splitting
from ghostdeploy.lint.delegates.xnnpack import why_not_taken
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "xnnpack"
SEVERITY = "warning"
FIX = "rewrite it in a form that XNNPACK has (see the rule's page)"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each operator outside."""
    if graph.format != "tflite":
        return
    reasons = [why_not_taken(node, graph) for node in graph.nodes]
    taken = {position for position, reason in enumerate(reasons) if not reason}
    if len(taken) == len(reasons):
        return
    count, splitting = count_partitions(graph, taken), find_splitting(graph, taken)
    made = f"{count} partition{'' if count == 1 else 's'}"
    for position, (node, reason) in enumerate(zip(graph.nodes, reasons, strict=True)):
        if reason:
            effect = "it splits the graph" if position in splitting else "it runs outside"
            yield finding_at(CODE, SEVERITY, node, f"{reason}: {effect} ({made})", FIX)
