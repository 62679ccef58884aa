"""A diff of two lowered graphs as one HTML page."""

from __future__ import annotations

from ghostdeploy.report.lint.diff import LintDiff
from ghostdeploy.report.lint.difftext import list_changes, list_numbers
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Grid, clean_grid
from ghostdeploy.report.parts.page import fill_template

TEMPLATE = "diff.html.j2"
PATH, CELL, LINE = 300, 100, 600  # characters
HEADER = ("Of the graph", "Old", "New", "Change")


def render(diff: LintDiff) -> str:
    """Return the page: a table of numbers, then what changed where.

    Raises MissingExtraError without Jinja2.
    """
    rows = () if diff.same else tuple(list_numbers(diff))
    lists = [] if diff.same else list(list_changes(diff))
    return fill_template(
        TEMPLATE,
        title="What changed in the lowered graph",
        old=clean(diff.old, PATH),
        new=clean(diff.new, PATH),
        numbers=clean_grid(Grid(HEADER, rows, frozenset({1, 2, 3})), CELL),
        lists=[(title, [clean(line, LINE) for line in lines]) for title, lines in lists],
    )
