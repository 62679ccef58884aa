"""xnnpack: the XNNPACK delegate takes every operator.

What: TFLite operators that the XNNPACK delegate leaves to TFLite's builtin kernels, and how many
    partitions that makes; an operator between delegated ones is said to split the graph. Where
    LiteRT could load the file, it decides; else the table of one-operator files does, which
    ``python benchmarks/xnnpack_table.py`` makes for each version (LiteRT 2.1.0 and 2.3.0).
Why: builtin kernels are slower, and every border between partitions costs a copy and a change
    of layout.
Fix: use the operator that the finding names in a form XNNPACK has; exporting with ghostdeploy
    rewrites the usual ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.delegates.turns import count_partitions, find_splitting
from ghostdeploy.linting.delegates.xnnpack import why_not_taken
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding, Partitions

CODE = "xnnpack"
SEVERITY = "warning"
FIX = "rewrite it in a form that XNNPACK has (see the rule's page)"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for each operator outside."""
    if graph.format != "tflite":
        return
    measured = expected.partitions
    reasons = _measured_reasons(graph, measured) if measured else _expected_reasons(graph)
    taken = {position for position, reason in enumerate(reasons) if not reason}
    if len(taken) == len(reasons):
        return
    count = measured.kernels if measured else count_partitions(graph, taken)
    splitting = find_splitting(graph, taken)
    made = f"{count} partition{'' if count == 1 else 's'}"
    for position, (node, reason) in enumerate(zip(graph.nodes, reasons, strict=True)):
        if reason:
            effect = "it splits the graph" if position in splitting else "it runs outside"
            yield finding_at(CODE, SEVERITY, node, f"{reason}: {effect} ({made})", FIX)


def _expected_reasons(graph: Graph) -> list[str]:
    return [why_not_taken(node, graph) for node in graph.nodes]


def _measured_reasons(graph: Graph, measured: Partitions) -> list[str]:
    """Return why each node is outside, "" for those that the runtime gave to XNNPACK."""
    outside = {name for name, _ in measured.outside}
    unknown = f"{measured.runtime} leaves this {{}} out of XNNPACK"
    return [
        (why_not_taken(node, graph) or unknown.format(node.native)) if node.name in outside else ""
        for node in graph.nodes
    ]
