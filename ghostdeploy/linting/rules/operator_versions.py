"""operator-versions: operators say the version that their types need.

What: TFLite operators whose version is below the one that knows their type: an int8 ADD of version
    1, say, where int8 came with 2.
Why: a runtime of before that version takes the file for one that it can run, and fails or computes
    something else; today's runs it. litert-quantizer 0.11.0 keeps the float file's versions.
Fix: convert with TensorFlow, which writes them, or export with ghostdeploy.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.needed_versions import find_needed_version, find_type
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "operator-versions"
SEVERITY = "info"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for each kind of operator, at its first node."""
    low: dict[tuple[str, str], list[Node]] = {}
    for node in graph.nodes if graph.format == "tflite" else ():
        if node.version < find_needed_version(graph, node):
            low.setdefault((node.native, find_type(graph, node)), []).append(node)
    for (native, dtype), nodes in low.items():
        message = (
            f"{native} ×{len(nodes)} says version {nodes[0].version};"
            f" {dtype} came with version {find_needed_version(graph, nodes[0])}"
        )
        yield finding_at(CODE, SEVERITY, nodes[0], message, "quantize with what writes versions")
