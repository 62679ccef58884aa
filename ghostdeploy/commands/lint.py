"""``ghostdeploy lint``: the rules on any model file."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.commands.verify import origin_of
from ghostdeploy.errors import UsageError
from ghostdeploy.lint import lint_graph, read_graph
from ghostdeploy.quiet import captured
from ghostdeploy.types import GraphReport, ModelSpec


def lint_file(path: Path) -> GraphReport:
    """Every finding in ``path``. Raises InputFileError for what is not a model."""
    with captured():
        graph = read_graph(path)
        return lint_graph(graph, _spec(path))


def _spec(path: Path) -> ModelSpec | None:
    """The network of a file that says so; a file of others is judged without."""
    try:
        return origin_of(path, path.read_bytes()).spec
    except UsageError:
        return None
