"""unused-tensors: something uses every tensor.

What: tensors that no operator reads or writes and that are no input or output, and constants
    that nothing reads.
Why: they make the file larger; an unused constant is often what a broken rewrite left behind.
Fix: convert again, or export with ghostdeploy, which drops them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations
from ghostdeploy.schema import Finding

CODE = "unused-tensors"
SEVERITY = "info"
SHOWN = 3


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for the whole graph."""
    used = {*graph.inputs, *graph.outputs, *graph.consumers, *graph.producers}
    unused = [value for name, value in graph.values.items() if name not in used]
    if not unused:
        return
    nbytes = sum(value.nbytes or 0 for value in unused if value.constant)
    names = ", ".join(value.name for value in unused[:SHOWN])
    more = f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else ""
    plural = "" if len(unused) == 1 else "s"
    message = f"{len(unused)} unused tensor{plural} with {nbytes} bytes of weights: {names}{more}"
    yield Finding(CODE, SEVERITY, unused[0].name, message, "drop them")
