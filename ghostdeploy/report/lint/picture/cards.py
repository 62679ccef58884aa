"""The cards of a page: a section of the graph each, with its drawing and its findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ghostdeploy.report.lint.groups import pluralize, rank
from ghostdeploy.report.lint.picture.drawing import draw
from ghostdeploy.report.lint.picture.families import family_of
from ghostdeploy.report.lint.picture.marks import Marks, css_class
from ghostdeploy.report.lint.picture.sections import Section
from ghostdeploy.report.lint.picture.shapes import Drawing
from ghostdeploy.report.lint.picture.surroundings import Surroundings
from ghostdeploy.report.parts.clean_text import clean

WIDE = 4  # columns from which on a card takes the whole width
TITLE = 80  # characters
UNDRAWN = 200  # pixels, where nothing is drawn
MARGIN = 78  # pixels around a drawing, its buttons included

Cell = tuple[int, str, str, bool]  # a node, its family, its worst severity, whether it is outside


@dataclass(frozen=True)
class Card:
    """What the template shows of a section; severities are CSS classes.

    ``height`` is in pixels, as laid out. ``badges`` are the worst severity and the number of the
    findings by node. ``drawing`` is None for nodes that work on weights alone.
    """

    number: int
    title: str
    count: str
    open: bool
    wide: bool
    drawing: Drawing | None
    height: int
    cells: list[Cell]
    outside: int
    findings: int
    worst: str
    badges: Mapping[int, tuple[str, int]]
    dfc: bool


def make_card(
    around: Surroundings, marks: Marks, number: int, part: Section, everything_open: bool
) -> Card:
    """Return the card of a section; without findings it is open where everything is."""
    drawing = None if part.constant else draw(around, number, part.nodes)
    shown = [i for i in part.nodes if marks.severity(i)]
    worst = min((marks.severity(i) for i in shown), key=rank, default="")
    return Card(
        number=number,
        title=clean(part.title, TITLE),
        count=pluralize(len(part.nodes), "operator"),
        open=bool(drawing) and (everything_open or bool(shown)),
        wide=bool(drawing and drawing.columns > WIDE),
        drawing=drawing,
        height=round(drawing.height) + MARGIN if drawing else UNDRAWN,
        cells=[_cell(around, marks, i) for i in part.nodes],
        outside=sum(around.is_outside(i) for i in part.nodes),
        findings=sum(marks.count(i) for i in part.nodes),
        worst=css_class(worst),
        badges={i: (css_class(marks.severity(i)), marks.count(i)) for i in shown},
        dfc=any(branch & frozenset(part.nodes) for branch in around.branches),
    )


def _cell(around: Surroundings, marks: Marks, i: int) -> Cell:
    family = family_of(around.graph.nodes[i])
    return i, family, css_class(marks.severity(i)), around.is_outside(i)
