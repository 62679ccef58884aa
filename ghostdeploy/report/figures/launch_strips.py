"""Every launch over time, one strip a model: what drifts together is the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ghostdeploy.report.figures.style import (
    Theme,
    fit_titles,
    marker_of,
    new_figure,
    note,
    shrink_to,
    strip_frame,
)
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.scene import Dot, Strips, lay_out_strips
from ghostdeploy.report.latency.summary import SummaryRow, summarize
from ghostdeploy.report.parts.clean_text import wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, STRIP_IN, MARGIN_IN = 9.6, 0.8, 1.0
LEAST_RANGE, MOST_RANGE = 2.0, 30.0  # ± %; what lies beyond is drawn at the edge
NAME_COLUMNS = 20
LEFT = 0.22  # of the width: names and the axis' numbers


def draw(report: Report, theme: Theme) -> Figure:
    """Draw a strip a model on one axis of time; the report must have a launch."""
    rows, scene = summarize(report.comparisons), lay_out_strips(report.comparisons)
    height = MARGIN_IN + STRIP_IN * len(rows)
    figure = new_figure(WIDTH_IN, height)
    reach = _reach(scene)
    low, high = _x_range(scene)
    titles = fit_titles(rows, 2 * NAME_COLUMNS)
    for row, title, dots in zip(rows, titles, scene.dots, strict=True):
        bottom = (MARGIN_IN - 0.45 + STRIP_IN * (len(rows) - 1 - row.index)) / height
        axes = figure.add_axes((LEFT, bottom, 0.97 - LEFT, STRIP_IN * 0.86 / height))
        axes.set_xlim(low, high)
        _strip(axes, row, title, dots, reach, theme)
        axes.tick_params(labelbottom=row.index == len(rows) - 1)
    axes.set_xlabel(scene.x_label[0].upper() + scene.x_label[1:], color=theme.muted)
    figure.text(
        LEFT,
        1 - 0.3 / height,
        "Deviation from the model's median (%)     \u25cf valid   \u25cb invalid, not counted"
        "   \u2715 no result",
        fontsize=9.5,
    )
    return figure


def _strip(
    axes: Axes, row: SummaryRow, title: str, dots: Sequence[Dot], reach: float, theme: Theme
) -> None:
    color = theme.color(row.index)
    axes.axhline(0, color=theme.muted, linewidth=0.9)
    axes.set_ylim(-1.25 * reach, 1.25 * reach)
    for dot in dots:
        _dot(axes, dot, reach, color, marker_of(row.index))
    _name_far_ones(axes, dots, reach, color)
    axes.set_yticks([-reach, 0, reach], [f"\u2212{reach:g}", "0", f"+{reach:g}"])
    axes.tick_params(axis="y", labelsize=8)
    strip_frame(axes, theme, "left")
    name = axes.annotate(
        "\n".join(wrap(title, NAME_COLUMNS)),
        (0, 0.5),
        xytext=(-34, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="center",
        color=color,
        weight="bold",
    )
    shrink_to(name, axes.bbox.x0 - 50)


def _dot(axes: Axes, dot: Dot, reach: float, color: str, shape: str) -> None:
    """Draw valid launches filled, invalid ones hollow, no result as a cross at the lower edge."""
    y = _height(dot, reach)
    if dot.deviation is None:
        (mark,) = axes.plot(dot.x, y, "x", color=color, markersize=7, clip_on=False)
    else:
        face = color if dot.valid else "none"
        (mark,) = axes.plot(
            dot.x, y, shape, color=color, markerfacecolor=face, markersize=6, clip_on=False
        )
    note(mark, dot.text)


def _height(dot: Dot, reach: float) -> float:
    """Return where a dot is drawn: at the edge what lies beyond, or has no result."""
    deviation = -reach * 2 if dot.deviation is None else dot.deviation
    return max(-1.1 * reach, min(1.1 * reach, deviation))


def _name_far_ones(axes: Axes, dots: Sequence[Dot], reach: float, color: str) -> None:
    """Write the value beside dots at the edge, but for those whose text would hit another."""
    room_px = axes.bbox.x0
    for dot in sorted(dots, key=lambda dot: dot.x):
        y = _height(dot, reach)
        if dot.deviation is None or y == dot.deviation:
            continue
        text = axes.annotate(
            f"{dot.deviation:+.0f} %",
            (dot.x, y),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=color,
        )
        box = text.get_window_extent()
        if box.x0 < room_px or box.x1 > axes.bbox.x1 + 20:
            text.remove()
        else:
            room_px = box.x1 + 2


def _reach(scene: Strips) -> float:
    """Return ± % from the valid launches: a wild invalid one must not flatten all others."""
    deviations = [
        abs(dot.deviation)
        for dots in scene.dots
        for dot in dots
        if dot.valid and dot.deviation is not None
    ]
    widest = max(deviations, default=LEAST_RANGE)
    nice = next((step for step in (2, 3, 5, 10, 15, 20, 30) if step >= widest), MOST_RANGE)
    return max(LEAST_RANGE, float(nice))


def _x_range(scene: Strips) -> tuple[float, float]:
    xs = [dot.x for dots in scene.dots for dot in dots]
    low, high = min(xs), max(xs)
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin
