"""What a rule is, what it knows beside the graph, and how it makes a finding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ghostdeploy.errors import UsageError
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.schema import Finding, ModelSpec, Partitions


@dataclass(frozen=True)
class Expectations:
    """What a graph is held against: the network that it should be, a memory budget, the runtime.

    ``spec`` is None for a model that is not ours. ``budget_mb`` (10⁶ bytes) is what weights and
    live activations together may take. ``partitions`` is XNNPACK's own word on the graph, None
    where it was not asked. Raises UsageError for a budget that is negative.
    """

    spec: ModelSpec | None = None
    budget_mb: float | None = None
    partitions: Partitions | None = None

    def __post_init__(self) -> None:
        if self.budget_mb is not None and not (
            math.isfinite(self.budget_mb) and self.budget_mb >= 0
        ):
            raise UsageError(f"a memory budget is a number of MB from 0 up, not {self.budget_mb}")


class Rule(Protocol):
    """A module of ``rules/``; its docstring says What, Why and Fix.

    ``SEVERITY`` is what its main findings are, unless configured otherwise.
    """

    CODE: str
    SEVERITY: str
    __doc__: str | None

    def check(self, graph: Graph, expected: Expectations) -> Iterator[Finding]:
        """Yield the rule's findings on ``graph``."""


def finding_at(rule: str, severity: str, node: Node, message: str, fix: str = "") -> Finding:
    """Return a finding at ``node``; ``lint_graph`` fills in its source file."""
    return Finding(rule, severity, node.name, message, fix, module=node.module)
