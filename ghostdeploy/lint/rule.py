"""Making a finding about a node."""

from __future__ import annotations

from ghostdeploy.lint.graph import Node
from ghostdeploy.schema import Finding


def at(rule: str, severity: str, node: Node, message: str, fix: str = "") -> Finding:
    """A finding at ``node``; its source file is filled in by ``lint_graph``."""
    return Finding(rule, severity, node.name, message, fix, module=node.module)
