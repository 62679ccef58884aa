"""Direct labels on a scatter plot that overlap neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation, Text

# Where a label may sit around its point, the best first: a direction (x, y), and which share of
# the label's width lies to the left of where that leads.
SIDES = (
    (1, 0, 0.0),
    (1, 1, 0.0),
    (1, -1, 0.0),
    (-1, 0, 1.0),
    (0, 1, 0.5),
    (0, -1, 0.5),
    (-1, 1, 1.0),
    (-1, -1, 1.0),
    (0, 1, 0.15),
    (0, -1, 0.15),
    (0, 1, 0.85),
    (0, -1, 0.85),
)
DISTANCES = (9, 14, 20, 28, 38, 50, 64)  # points
LINE_BOXES = 8  # boxes along a leader that later labels keep clear of
LEADER_FROM = 20  # points; nearer labels need no line to their point
POINT_RADIUS = 5  # pixels


@dataclass(frozen=True)
class Label:
    """A text for the point at data coordinates (x, y); ``size`` is in points."""

    text: str
    x: float
    y: float
    color: str
    bold: bool = False
    size: float = 9.0


@dataclass(frozen=True)
class LabelBox:
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlap(self, other: LabelBox) -> float:
        """Return the area that both boxes cover, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def outside(self, other: LabelBox) -> float:
        """Return the area of this box that is not within the other, in square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0) - self.overlap(other)


def place_labels(
    axes: Axes, labels: Sequence[Label], points: Sequence[tuple[float, float]]
) -> list[Text]:
    """Put each label, in order, where it overlaps least; ``points`` (data) are kept clear."""
    taken = [_around(*axes.transData.transform(point)) for point in points]
    frame = LabelBox(*axes.bbox.extents)
    written: list[Text] = []
    for wanted in labels:
        text, boxes = _place_one(axes, wanted, taken, frame)
        written.append(text)
        taken += boxes
    return written


def _place_one(
    axes: Axes, wanted: Label, taken: Sequence[LabelBox], frame: LabelBox
) -> tuple[Text, list[LabelBox]]:
    pixels_per_point = axes.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    width, height = _size(axes, wanted)
    center_x, center_y = axes.transData.transform((wanted.x, wanted.y))
    best: tuple[float, LabelBox, tuple[float, float], int] | None = None
    for distance, (dx, dy, share) in product(DISTANCES, SIDES):
        reach = distance * pixels_per_point * (0.75 if dx and dy else 1.0)
        x0 = center_x + dx * reach - share * width
        y0 = center_y + dy * reach - (0 if dy > 0 else height if dy < 0 else height / 2)
        box = LabelBox(x0, y0, x0 + width, y0 + height)
        covered = sum(box.overlap(other) for other in taken)
        cost = 3 * covered + 4 * box.outside(frame) + distance**1.3
        if best is None or cost < best[0]:
            best = (cost, box, (x0, y0), distance)
    assert best is not None
    _, box, corner, distance = best
    leader = distance >= LEADER_FROM
    text = _write(axes, wanted, corner, leader=leader)
    around = LabelBox(box.x0 - 3, box.y0 - 2, box.x1 + 3, box.y1 + 2)
    return text, [around, *(_leader_boxes((center_x, center_y), box) if leader else [])]


def _leader_boxes(start: tuple[float, float], box: LabelBox) -> list[LabelBox]:
    end = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    shares = [step / LINE_BOXES for step in range(1, LINE_BOXES)]
    return [
        _around(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        for share in shares
    ]


def _write(axes: Axes, wanted: Label, corner: tuple[float, float], *, leader: bool) -> Text:
    line = {"arrowstyle": "-", "color": wanted.color, "linewidth": 0.7, "shrinkB": 4, "shrinkA": 1}
    scale = 72 / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    origin = axes.transData.transform((wanted.x, wanted.y))
    offset = ((corner[0] - origin[0]) * scale, (corner[1] - origin[1]) * scale)
    return _annotate(axes, wanted, offset, line if leader else None)


def _annotate(
    axes: Axes, wanted: Label, offset: tuple[float, float], arrow: dict[str, object] | None
) -> Annotation:
    return axes.annotate(
        wanted.text,
        (wanted.x, wanted.y),
        xytext=offset,
        textcoords="offset points",
        ha="left",
        va="bottom",
        color=wanted.color,
        fontsize=wanted.size,
        weight="bold" if wanted.bold else "normal",
        style="normal" if wanted.bold else "italic",
        arrowprops=arrow,
    )


def _size(axes: Axes, wanted: Label) -> tuple[float, float]:
    probe = _annotate(axes, wanted, (0, 0), None)
    extent = probe.get_window_extent()
    probe.remove()
    return extent.width, extent.height


def _around(x: float, y: float) -> LabelBox:
    return LabelBox(x - POINT_RADIUS, y - POINT_RADIUS, x + POINT_RADIUS, y + POINT_RADIUS)
