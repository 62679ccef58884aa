"""Accuracy against latency after the paper's Figure 2, two devices on one relative axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ghostdeploy.paper_data import FigurePoint, figure_points
from ghostdeploy.report.figures.labels import Label, place_labels
from ghostdeploy.report.figures.style import (
    Theme,
    add_halo,
    fit_title,
    marker_of,
    new_figure,
    note,
    shrink_to,
    strip_frame,
)
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.scene import anchor_index, relative_to, whiskers
from ghostdeploy.report.latency.summary import SummaryRow, summarize
from ghostdeploy.report.parts.clean_text import wrap
from ghostdeploy.report.parts.numbers import format_as_printed, format_number, tell_exactly
from ghostdeploy.schema import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 9.6, 6.0
MOST_DIRECT = 5  # more models than this are numbered, with a key beside the plot
KEY_LEFT, KEY_HEIGHT, KEY_COLUMNS, KEY_LINE_IN, KEY_GAP = 0.765, 0.8, 30, 0.165, 0.6
STEPS = 12  # boxes along a line that labels keep clear of
Point = tuple[float, float]


def draw(report: Report, theme: Theme) -> Figure:
    """Draw every measured model that has the paper's top-1 beside the paper's own series.

    The report must have an anchor: a measured model with the paper's latency.
    """
    rows = summarize(report.comparisons)
    index = anchor_index(rows)
    assert index is not None
    anchor = rows[index]
    assert anchor.paper_latency_ms is not None
    figure = new_figure(WIDTH_IN, HEIGHT_IN)
    plotted = [row for row in rows if row.latency_ms and row.paper_top1]
    keyed = len(plotted) > MOST_DIRECT
    axes = figure.add_axes((0.075, 0.125, KEY_LEFT - 0.09 if keyed else 0.905, 0.775))
    papers, paper_labels = _paper_series(axes, anchor.paper_latency_ms, theme)
    ours, our_labels = _ours(axes, plotted, anchor, theme, keyed)
    if keyed:
        _key(figure, plotted, anchor, theme)
    _decorate(axes, anchor, theme)
    _limits(axes, papers + ours)
    for text in place_labels(axes, our_labels + paper_labels, papers + ours):
        add_halo(text, theme)
    return figure


def _paper_series(axes: Axes, unit_ms: float, theme: Theme) -> tuple[list[Point], list[Label]]:
    """Draw hollow grey markers; return the points to keep clear, a label at each series' end."""
    clear: list[Point] = []
    labels = []
    for name, points in _by_series(figure_points("2")):
        line = [(point.x / unit_ms, point.top1) for point in points]
        _hollow(axes, line, theme, "-")
        clear += _along(line)
        labels.append(Label(f"{name} (paper)", *line[-1], theme.muted, size=8.5))
    return clear, labels


def _ours(
    axes: Axes, rows: Sequence[SummaryRow], anchor: SummaryRow, theme: Theme, keyed: bool
) -> tuple[list[Point], list[Label]]:
    clear: list[Point] = []
    labels = []
    for row in rows:
        here = relative_to(row, anchor)
        if here is None or row.paper_top1 is None:
            continue
        point = (here.value, row.paper_top1)
        clear += _link_to_paper(axes, row, anchor, point, theme)
        _filled(axes, row, here, row.paper_top1, theme)
        clear += [(here.value, row.paper_top1)]
        text = (
            str(row.index + 1) if keyed else f"{_name(row)}\n{format_number(here.value, 3)}\u00d7"
        )
        labels.append(Label(text, *point, theme.color(row.index), bold=True))
    return clear, labels


def _key(figure: Figure, rows: Sequence[SummaryRow], anchor: SummaryRow, theme: Theme) -> None:
    """Write number, marker, name and value of each model beside the plot."""
    entries = [(row, _key_lines(row, anchor)) for row in rows]
    needed = sum(len(lines) + KEY_GAP for _, lines in entries) * KEY_LINE_IN / HEIGHT_IN
    scale = min(1.0, KEY_HEIGHT / needed)
    line = scale * KEY_LINE_IN / HEIGHT_IN
    left, y = KEY_LEFT + 0.018, 0.88
    for row, lines in entries:
        text = figure.text(
            left, y, "\n".join(lines), va="top", fontsize=8.5 * scale, color=theme.ink
        )
        shrink_to(text, (0.985 - left) * figure.bbox.width)
        _key_marker(figure, row, y - 0.4 * line, 7 * scale, theme)
        y -= (len(lines) + KEY_GAP) * line


def _key_lines(row: SummaryRow, anchor: SummaryRow) -> list[str]:
    here = relative_to(row, anchor)
    assert here is not None
    name = fit_title(row.title, 2 * KEY_COLUMNS - 14)
    return wrap(f"{row.index + 1}  {name}: {format_number(here.value, 3)}\u00d7", KEY_COLUMNS)


def _key_marker(figure: Figure, row: SummaryRow, y: float, size: float, theme: Theme) -> None:
    from matplotlib.lines import Line2D

    figure.add_artist(
        Line2D(
            [KEY_LEFT],
            [y],
            marker=marker_of(row.index),
            color=theme.color(row.index),
            linestyle="",
            markersize=size,
        )
    )


def _name(row: SummaryRow) -> str:
    return "\n".join(wrap(fit_title(row.title, 44), 24))


def _link_to_paper(
    axes: Axes, row: SummaryRow, anchor: SummaryRow, point: Point, theme: Theme
) -> list[Point]:
    """Tie our point to the paper's own of the same model; return the points to keep clear."""
    if row.paper_latency_ms is None or anchor.paper_latency_ms is None:
        return []
    theirs = (row.paper_latency_ms / anchor.paper_latency_ms, point[1])
    axes.plot(*zip(theirs, point, strict=True), ":", color=theme.color(row.index), linewidth=1.1)
    _hollow(axes, [theirs], theme, "")
    return _along([theirs, point])


def _filled(axes: Axes, row: SummaryRow, here: Interval, top1: float, theme: Theme) -> None:
    mark, *_ = axes.errorbar(
        here.value,
        top1,
        xerr=whiskers(here),
        fmt=marker_of(row.index),
        color=theme.color(row.index),
        markersize=9,
        markeredgecolor=theme.background,
        capsize=3,
        zorder=5,
    )
    note(mark, f"{row.title}: {tell_exactly(here)}, top-1 {top1!r} %")


def _hollow(axes: Axes, line: Sequence[Point], theme: Theme, style: str) -> None:
    axes.plot(
        [x for x, _ in line],
        [y for _, y in line],
        linestyle=style,
        marker="o",
        color=theme.muted,
        markerfacecolor=theme.background,
        markersize=5,
        linewidth=0.9,
        alpha=0.85,
    )


def _decorate(axes: Axes, anchor: SummaryRow, theme: Theme) -> None:
    assert anchor.latency_ms is not None
    here, paper = format_number(anchor.latency_ms.value), format_as_printed(anchor.paper_latency_ms)
    name = fit_title(anchor.title)
    axes.set_title(
        "\u25cf latency measured here, top-1 from the paper"
        "     \u25cb both from the paper (Huawei P30, Kirin 980 CPU, TFLite)",
        loc="left",
        fontsize=9.5,
        pad=12,
    )
    x_label = axes.set_xlabel(
        f"Latency relative to {name} (1\u00d7 = {here} ms here, {paper} ms on the paper's P30)"
    )
    shrink_to(x_label, 1.08 * axes.bbox.width)
    axes.set_ylabel("ImageNet top-1, from the paper (%)")
    strip_frame(axes, theme, "left", "bottom")
    axes.grid(axis="y", color=theme.grid, linewidth=0.8)


def _limits(axes: Axes, points: Sequence[Point]) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, tall = max(xs) - min(xs), max(ys) - min(ys)
    axes.set_xlim(min(xs) - 0.12 * wide, max(xs) + 0.15 * wide)
    axes.set_ylim(min(ys) - 0.09 * tall, max(ys) + 0.09 * tall)


def _by_series(points: Iterable[FigurePoint]) -> list[tuple[str, list[FigurePoint]]]:
    series: dict[str, list[FigurePoint]] = {}
    for point in points:
        series.setdefault(point.series, []).append(point)
    return list(series.items())


def _along(line: Sequence[Point]) -> list[Point]:
    """Return points along a line of segments, its ends included."""
    dense = list(line)
    for (x0, y0), (x1, y1) in pairwise(line):
        shares = [step / STEPS for step in range(1, STEPS)]
        dense += [(x0 + share * (x1 - x0), y0 + share * (y1 - y0)) for share in shares]
    return dense
