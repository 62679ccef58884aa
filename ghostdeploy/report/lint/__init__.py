"""What the linter found, written for a terminal, for machines, for code hosts and as a picture.

A format is one file with ``render(linted) -> str`` and one row of ``FORMATS``. Some take an
option of their own beside: ``table`` ``verbose``, ``junit`` ``strict``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from ghostdeploy.errors import UsageError
from ghostdeploy.lint.graph import Graph
from ghostdeploy.schema import GraphReport


@dataclass(frozen=True)
class Linted:
    """One model file: the path as the user gave it, its graph, and what the rules said."""

    path: str
    graph: Graph
    report: GraphReport


FORMATS: dict[str, str] = {
    "table": "ghostdeploy.report.lint.table",
    "json": "ghostdeploy.report.lint.jsonfile",
    "sarif": "ghostdeploy.report.lint.sarif",
    "junit": "ghostdeploy.report.lint.junit",
    "html": "ghostdeploy.report.lint.picture.page",
}


def render(linted: Sequence[Linted], format_name: str) -> str:
    """``linted`` in one format, unwritten.

    Raises UsageError for an unknown format and MissingExtraError where Jinja2 is absent.
    """
    if format_name not in FORMATS:
        raise UsageError(f"unknown lint format {format_name!r}; there are: {', '.join(FORMATS)}")
    module = import_module(FORMATS[format_name])
    return cast(Callable[[Sequence[Linted]], str], module.render)(linted)
