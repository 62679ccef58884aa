"""Where the time goes: one bar a model, a piece a kind of operator."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ghostdeploy.report.figures.style import (
    Theme,
    fit_titles,
    new_figure,
    note,
    shrink_to,
    strip_frame,
)
from ghostdeploy.report.latency.profile import KINDS, OTHER, profiles_by_kind
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import summarize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN, BAR_IN, AXIS_IN, LEGEND_LINE_IN = 9.6, 0.55, 0.62, 0.2
LEGEND_COLUMNS = 4
NAMED_SHARE = 0.07  # of the longest bar: narrower pieces have no room for their number
HATCHES = ("", "//", "..")


def draw(report: Report, theme: Theme) -> Figure:
    """Draw a bar a model; one of them at least must be profiled."""
    found = profiles_by_kind(report.comparisons)
    shown = [kind for kind in (*(k for k, _ in KINDS), OTHER) if any(kind in p for p in found)]
    legend_in = LEGEND_LINE_IN * (ceil(len(shown) / LEGEND_COLUMNS) + 1)
    height = AXIS_IN + BAR_IN * len(found) + legend_in
    figure = new_figure(WIDTH_IN, height)
    axes = figure.add_axes((0.24, AXIS_IN / height, 0.73, (BAR_IN * len(found)) / height))
    longest = max(sum(profile.values()) for profile in found)
    left = [0.0] * len(found)
    for number, kind in enumerate(shown):
        color, hatch = theme.color(number), HATCHES[number // len(theme.colors) % len(HATCHES)]
        values = [profile.get(kind, 0.0) for profile in found]
        rows = range(len(found))
        bars = axes.barh(rows, values, left=left, label=kind, color=color, hatch=hatch)
        for bar, value in zip(bars, values, strict=True):
            bar.set_edgecolor(theme.background)
            note(bar, f"{kind}: {value!r} ms" if value else "")
        for row, value in enumerate(values):
            if value >= NAMED_SHARE * longest:
                middle = left[row] + value / 2
                axes.text(
                    middle, row, f"{value:.2g}", ha="center", va="center", color=theme.background
                )
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.set_yticks(list(range(len(found))), fit_titles(summarize(report.comparisons)))
    for name in axes.get_yticklabels():
        shrink_to(name, 0.97 * axes.bbox.x0 - 6)
    axes.tick_params(axis="y", colors=theme.ink)
    axes.invert_yaxis()
    axes.set_xlabel("ms an inference, with operator profiling on", color=theme.muted)
    strip_frame(axes, theme, "left")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0.02, 0.99), ncol=LEGEND_COLUMNS,
        frameon=False, fontsize=8.5,
    )  # fmt: skip
    return figure
