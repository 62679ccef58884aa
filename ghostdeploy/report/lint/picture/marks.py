"""The findings of a graph at the nodes that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph
from ghostdeploy.report.lint.groups import rank
from ghostdeploy.schema import Finding

KNOWN = ("error", "warning", "info")


@dataclass(frozen=True)
class Marks:
    """The findings of each node, and where a finding's node is."""

    of_node: Mapping[int, tuple[Finding, ...]]
    target: Mapping[int, int]  # by the finding's place in the report, −1 where none is known

    def severity(self, i: int) -> str:
        """Return the worst severity of node ``i``'s open findings, "" where there are none."""
        found = [f.severity for f in self.of_node.get(i, ()) if not f.allowed]
        return min(found, key=rank) if found else ""

    def count(self, i: int) -> int:
        """Count the open findings of node ``i``."""
        return sum(not f.allowed for f in self.of_node.get(i, ()))


def mark_nodes(graph: Graph, findings: Sequence[Finding]) -> Marks:
    """Find the node of each finding, which may name a node, a value or a module."""
    where: dict[str, int] = {}
    for i, node in reversed(list(enumerate(graph.nodes))):
        where[node.module] = i
    for i, node in enumerate(graph.nodes):
        where.update(dict.fromkeys(node.outputs, i))
    where.update({node.name: i for i, node in reversed(list(enumerate(graph.nodes)))})
    where.pop("", None)
    of_node: dict[int, list[Finding]] = {}
    target: dict[int, int] = {}
    for n, finding in enumerate(findings):
        place = where.get(finding.node, where.get(finding.module, -1))
        target[n] = place
        if place >= 0:
            of_node.setdefault(place, []).append(finding)
    return Marks({i: tuple(found) for i, found in of_node.items()}, target)


def css_class(severity: str) -> str:
    """Return a severity as a CSS class."""
    return severity if not severity or severity in KNOWN else "info"
