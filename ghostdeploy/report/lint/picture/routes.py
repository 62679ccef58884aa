"""The lines of a card: where an edge goes so that it crosses no node."""

from __future__ import annotations

from collections.abc import Sequence

from ghostdeploy.report.lint.picture.card_grid import NODE_H, NODE_W, PILL_H, CardGrid
from ghostdeploy.report.lint.picture.layout import Edge, Layout
from ghostdeploy.report.lint.picture.shapes import Line, Pill

GUTTER = NODE_W / 2 + 7
FORK, JOIN, ENTRY, ROUND = 5, 7, 20, 5

RowColumn = tuple[int, int]
Point = tuple[float, float]


def draw_edge(layout: Layout, grid: CardGrid, edge: Edge, inputs: Sequence[Pill]) -> Line:
    """Return the line of an edge, from a node or one of the pills ``inputs`` to a node."""
    row, column = layout.places[edge.target]
    if edge.source >= 0:
        above, source = layout.places[edge.source]
        start = (grid.center(source), grid.tops[above] + NODE_H)
    else:
        pill = inputs[-1 - edge.source]
        above, source = -1, grid.column(pill.x)
        start = (grid.center(source), pill.y + PILL_H)
    end = (grid.center(column), grid.tops[row])
    points = _route(layout, (above, source), (row, column), start, end)
    return Line(edge.source, edge.target, round_corners(points))


def draw_exit(layout: Layout, grid: CardGrid, pill: Pill, i: int) -> Line:
    """Return the line from node ``i`` to a pill below the card's nodes."""
    above, source = layout.places[i]
    column = grid.column(pill.x)
    start = (grid.center(source), grid.tops[above] + NODE_H)
    points = _route(
        layout, (above, source), (layout.rows, column), start, (grid.center(column), pill.y)
    )
    return Line(i, -1, round_corners(points))


def _route(
    layout: Layout, tail: RowColumn, head: RowColumn, start: Point, end: Point
) -> list[Point]:
    """Go straight down, else over in a gap between rows, else beside the source's column."""
    (above, source), (below, target) = tail, head
    (x0, y0), (x1, y1) = start, end
    entry = x1 + (ENTRY if source > target else -ENTRY)
    if source == target:
        if not layout.blocked(source, above, below):
            return [start, end]
    elif not layout.blocked(target, above, below):
        return [start, (x0, y0 + FORK), (x1, y0 + FORK), end]
    elif not layout.blocked(source, above, below):
        return [start, (x0, y1 - JOIN), (entry, y1 - JOIN), (entry, y1)]
    gutter = x0 + (-GUTTER if source <= target else GUTTER)
    if source == target:
        entry = x1 - ENTRY
    return [
        start,
        (x0, y0 + FORK),
        (gutter, y0 + FORK),
        (gutter, y1 - JOIN),
        (entry, y1 - JOIN),
        (entry, y1),
    ]


def round_corners(points: Sequence[Point]) -> str:
    """Return an SVG path along the points, its corners rounded."""
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        before, after = abs(bx - ax) + abs(by - ay), abs(cx - bx) + abs(cy - by)
        if not before or not after:
            continue
        r = min(ROUND, before / 2, after / 2)
        ux, uy = (bx - ax) / before, (by - ay) / before
        vx, vy = (cx - bx) / after, (cy - by) / after
        path.append(f"L{_n(bx - r * ux)} {_n(by - r * uy)}")
        path.append(f"Q{_n(bx)} {_n(by)} {_n(bx + r * vx)} {_n(by + r * vy)}")
    path.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(path)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
