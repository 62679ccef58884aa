"""duplicate-weights: no constant is stored twice.

What: constants of 1 KB or more with the same type, shape and content, stored more than once.
Why: the file and the memory hold the same bytes again.
Fix: share the module in torch, or let the converter merge equal constants.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Value
from ghostdeploy.lint.rule import Expectations
from ghostdeploy.schema import Finding

CODE = "duplicate-weights"
SEVERITY = "info"
MIN_BYTES = 1024
SHOWN = 3


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for each content that is stored more than once."""
    same: dict[tuple[object, ...], dict[str, Value]] = {}
    for value in graph.values.values():
        if value.constant and value.digest and (value.nbytes or 0) >= MIN_BYTES:
            key = (value.digest, value.dtype, value.shape)
            same.setdefault(key, {}).setdefault(value.storage, value)
    for values in (list(group.values()) for group in same.values()):
        if len(values) > 1:
            yield _finding(values)


def _finding(values: list[Value]) -> Finding:
    names = ", ".join(value.name for value in values[:SHOWN])
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    extra = (len(values) - 1) * (values[0].nbytes or 0)
    message = f"{len(values)} copies of one constant, {extra} bytes too many: {names}{more}"
    return Finding(CODE, SEVERITY, values[0].name, message, "store it once")
