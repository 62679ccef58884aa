"""The rows and columns of a card in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ghostdeploy.report.lint.picture.layout import Layout

NODE_W, NODE_H = 138, 36
GAP_X, GAP_Y = 20, 18
PAD = 10
PILL_H, PILL_GAP = 20, 6
BAND_HEAD = 22


@dataclass(frozen=True)
class CardGrid:
    """The y of each row's top and of the last row's end."""

    tops: tuple[float, ...]
    bottom: float

    def center(self, column: int) -> float:
        """Return the x of the middle of a column."""
        return PAD + column * (NODE_W + GAP_X) + GAP_X / 2 + NODE_W / 2

    def column(self, left: float) -> int:
        """Return the column of what begins at the x ``left``."""
        return round((left - PAD - GAP_X / 2) / (NODE_W + GAP_X))

    def pill_at(self, number: int, across: int, top: float) -> tuple[float, float]:
        """Return the corner of a pill, ``across`` of which stand in a row from ``top`` on."""
        row, column = divmod(number, across)
        return self.center(column) - NODE_W / 2, top + row * (PILL_H + PILL_GAP)


def make_grid(layout: Layout, across: int, heads: tuple[int, ...]) -> CardGrid:
    """Return the places of the rows below the input pills; a band begins at each of ``heads``."""
    pill_rows = -(-len(layout.inputs) // max(across, 1))
    y, tops = PAD + pill_rows * (PILL_H + PILL_GAP) + GAP_Y / 2, []
    for row in range(layout.rows):
        y += BAND_HEAD if row in heads else 0
        tops.append(y)
        y += NODE_H + GAP_Y
    return CardGrid(tuple(tops), y - GAP_Y / 2)


def find_stage_rows(layout: Layout, stage_of: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return the first and last row of each stage in the card."""
    found: dict[int, tuple[int, int]] = {}
    for i, (row, _) in layout.places.items():
        first, last = found.get(stage_of.get(i, 0), (row, row))
        found[stage_of.get(i, 0)] = (min(first, row), max(last, row))
    return dict(sorted(found.items()))
