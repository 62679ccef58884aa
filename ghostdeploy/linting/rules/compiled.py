"""compiled: the file is a network, not what was compiled of one for a chip.

What: a file that was compiled ahead of time for an accelerator: LiteRT's DISPATCH_OP, Coral's
    edgetpu-custom-op, onnxruntime's EPContext. No other rule is asked about it.
Why: the network inside is bytecode that no rule can read, and only that chip's driver runs it.
Fix: lint the file that it was made of.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "compiled"
SEVERITY = "warning"
# The operators that hold bytecode, and the chip they are for where the file does not say it.
TARGETS = {
    "CUSTOM:DISPATCH_OP": "an accelerator",
    "CUSTOM:edgetpu-custom-op": "Google's Edge TPU",
    "EPContext": "an accelerator",
}


def is_compiled(graph: Graph) -> bool:
    """Say whether some operator of the main graph is bytecode."""
    return any(node.native in TARGETS for node in graph.nodes)


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one warning for the whole graph."""
    found = [node for node in graph.nodes if node.native in TARGETS]
    if found:
        message = f"compiled for {_target(graph, found[0])}; the network inside cannot be read"
        fix = "lint the file that it was made of"
        yield finding_at(CODE, SEVERITY, found[0], message, fix)


def _target(graph: Graph, node: Node) -> str:
    source = node.attributes.get("source")  # of an EPContext: the execution provider
    named = source.decode(errors="replace") if isinstance(source, bytes) else ""
    return graph.stamp or named or TARGETS[node.native]
