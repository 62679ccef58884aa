"""A model file with what the linter found in it."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph
from ghostdeploy.schema import GraphReport


@dataclass(frozen=True)
class Linted:
    """One model file: the path as the user gave it, its graph, and what the rules said."""

    path: str
    graph: Graph
    report: GraphReport
