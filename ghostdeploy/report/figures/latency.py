"""Latency measured here as bars; beside it the ratios, ours filled and the paper's hollow.

The paper's numbers appear on the ratio axis only: its milliseconds are of another device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ghostdeploy.report.figures.style import (
    Theme,
    add_halo,
    fit_title,
    fit_titles,
    new_figure,
    note,
    shrink_to,
    strip_frame,
)
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.scene import upper_limit, whiskers
from ghostdeploy.report.latency.summary import (
    MEASURED_HERE,
    NOT_MEASURED,
    SummaryRow,
    shows_paper,
    summarize,
)
from ghostdeploy.report.parts.clean_text import wrap
from ghostdeploy.report.parts.numbers import format_number, tell_exactly
from ghostdeploy.schema import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, ROW_IN, MARGIN_IN = 9.6, 0.62, 1.25
OURS_LANE, PAPER_LANE = -0.15, 0.21  # offsets within a row, in rows
NAME_COLUMNS = 23


def draw(report: Report, theme: Theme) -> Figure:
    """Draw a row a model: the latency's bar and, where there are ratios, both of them."""
    rows = summarize(report.comparisons)
    height = MARGIN_IN + ROW_IN * len(rows)
    figure = new_figure(WIDTH_IN, height)
    with_ratios = any(row.paper_ratio or (row.ratio and not row.is_base) for row in rows)
    right = 0.59 if with_ratios else 0.97
    bottom, top = 0.62 / height, 1 - 0.55 / height
    bars = figure.add_axes((0.20, bottom, right - 0.20, top - bottom))
    _latency_panel(bars, rows, theme)
    if with_ratios:
        ratios = figure.add_axes((0.64, bottom, 0.34, top - bottom))
        _ratio_panel(ratios, rows, theme)
    return figure


def _latency_panel(axes: Axes, rows: Sequence[SummaryRow], theme: Theme) -> None:
    _heading(axes, f"{MEASURED_HERE}: latency", theme.ink)
    for row in rows:
        if row.latency_ms:
            _bar(axes, row, row.latency_ms, theme)
        else:
            reason = fit_title(f"{NOT_MEASURED}: {row.why_not}", 58)
            axes.annotate(
                "\n".join(wrap(reason, 38)),
                (0, row.index),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=theme.muted,
                style="italic",
                fontsize=8.5,
            )
    highest = max((upper_limit(row.latency_ms) for row in rows if row.latency_ms), default=1.0)
    axes.set_xlim(0, highest * 1.24)
    axes.set_yticks([row.index for row in rows], _names(rows))
    axes.tick_params(axis="y", labelcolor=theme.ink, pad=6)
    for name in axes.get_yticklabels():
        shrink_to(name, 0.97 * axes.bbox.x0 - 6)
    axes.set_xlabel("ms (lower is better; whiskers: confidence limits)", color=theme.muted)
    _frame(axes, rows, theme)


def _bar(axes: Axes, row: SummaryRow, latency: Interval, theme: Theme) -> None:
    (bar,) = axes.barh(row.index, latency.value, height=0.52, color=theme.color(row.index))
    note(bar, f"{row.title}: {tell_exactly(latency)} ms")
    axes.errorbar(
        latency.value,
        row.index,
        xerr=whiskers(latency),
        color=theme.ink,
        capsize=3.5,
        elinewidth=1.3,
    )
    axes.annotate(
        format_number(latency.value),
        (upper_limit(latency), row.index),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        weight="bold",
    )


def _ratio_panel(axes: Axes, rows: Sequence[SummaryRow], theme: Theme) -> None:
    _heading(axes, f"Ratio to {fit_title(rows[0].title, 30)}", theme.ink)
    axes.axvline(1, color=theme.muted, linewidth=1)
    for row in rows:
        if row.is_base and row.latency_ms:
            axes.plot(1, row.index, marker="o", color=theme.color(0), markersize=5.5)
        elif row.ratio:
            _our_ratio(axes, row, row.ratio, theme)
        if row.paper_ratio and not row.is_base:
            _paper_ratio(axes, row, row.paper_ratio, theme)
    _ratio_limits(axes, rows)
    axes.set_yticks([])
    papers = "   \u25c7 paper, on a Huawei P30" if shows_paper(rows) else ""
    axes.set_xlabel(f"\u25cf measured here{papers}", color=theme.muted)
    _frame(axes, rows, theme)


def _our_ratio(axes: Axes, row: SummaryRow, ratio: Interval, theme: Theme) -> None:
    y, color = row.index + OURS_LANE, theme.color(row.index)
    mark, *_ = axes.errorbar(
        ratio.value, y, xerr=whiskers(ratio), fmt="o", color=color, markersize=5.5, capsize=4.5
    )
    note(mark, f"{row.title}: {tell_exactly(ratio)}")
    _beside(
        axes, upper_limit(ratio), y, format_number(ratio.value, 3), theme.ink, theme, weight="bold"
    )


def _paper_ratio(axes: Axes, row: SummaryRow, ratio: float, theme: Theme) -> None:
    y = row.index + PAPER_LANE
    axes.plot(
        ratio,
        y,
        marker="D",
        markersize=6,
        markerfacecolor="none",
        markeredgecolor=theme.muted,
        markeredgewidth=1.3,
    )
    _beside(
        axes, ratio, y, f"paper, P30: {format_number(ratio, 3)}", theme.muted, theme, style="italic"
    )


def _beside(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    color: str,
    theme: Theme,
    *,
    weight: str = "normal",
    style: str = "normal",
) -> None:
    note = axes.annotate(
        text,
        (x, y),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=color,
        weight=weight,
        style=style,
        fontsize=8.5,
    )
    add_halo(note, theme)


def _ratio_limits(axes: Axes, rows: Sequence[SummaryRow]) -> None:
    """Show from a little under the least ratio to where the longest label still fits."""
    papers = [row.paper_ratio for row in rows if row.paper_ratio and not row.is_base]
    ours = [row.ratio for row in rows if row.ratio]
    lows = [ratio.value - whiskers(ratio)[0][0] for ratio in ours]
    known = [1.0, *papers, *lows, *map(upper_limit, ours)]
    low, high = min(known), max(known)
    span = max(high - low, 0.2)
    axes.set_xlim(max(0.0, low - 0.15 * span), high + 0.7 * span)


def _frame(axes: Axes, rows: Sequence[SummaryRow], theme: Theme) -> None:
    axes.set_ylim(len(rows) - 0.45, -0.55)
    strip_frame(axes, theme, "left")


def _heading(axes: Axes, text: str, color: str) -> None:
    axes.set_title(text, loc="left", fontsize=10.5, weight="bold", color=color, pad=10)


def _names(rows: Sequence[SummaryRow]) -> list[str]:
    titles = fit_titles(rows, 2 * NAME_COLUMNS - 4)
    return ["\n".join(wrap(title, NAME_COLUMNS)) for title in titles]
