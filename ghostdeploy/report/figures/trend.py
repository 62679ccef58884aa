"""One device's gates over time: the ratio to the accepted baseline, with limits and verdicts.

Latencies of two days are not set side by side: the ratio of one session is what lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.decision.verdict import Verdict
from ghostdeploy.report.figures.style import (
    Theme,
    fit_title,
    new_figure,
    note,
    shrink_to,
    strip_frame,
)
from ghostdeploy.report.parts.numbers import tell_exactly

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, PANEL_IN, MARGIN_IN = 9.6, 1.9, 1.0
LATEST = 60  # runs of one gate that are drawn
MOST_GATES = 12
MOST_TICKS = 12
LEAST_REACH, MOST_REACH = 6.0, 40.0  # ± %
# verdict -> (marker, index of the theme's colour)
MARKS = {
    Verdict.PASS: ("o", 2),
    Verdict.IMPROVED: ("v", 0),
    Verdict.REGRESSED: ("^", 1),
    Verdict.INCONCLUSIVE: ("D", 5),
    Verdict.INVALID: ("X", 7),
}


def draw(runs: Sequence[GateRun], theme: Theme) -> Figure:
    """Draw a panel for each gate's name; ``runs`` are one device's."""
    names = list(dict.fromkeys(run.name for run in runs))[-MOST_GATES:]
    height = MARGIN_IN + PANEL_IN * len(names)
    figure = new_figure(WIDTH_IN, height)
    for number, name in enumerate(names):
        bottom = (0.65 + PANEL_IN * (len(names) - 1 - number)) / height
        axes = figure.add_axes((0.09, bottom, 0.88, (PANEL_IN - 0.75) / height))
        _panel(axes, [run for run in runs if run.name == name][-LATEST:], theme)
        title = axes.set_title(
            fit_title(name, 80), loc="left", fontsize=9.5, color=theme.ink, weight="bold"
        )
        shrink_to(title, axes.bbox.width)
    _key(figure, theme, 1 - 0.2 / height)
    return figure


def short_commit(run: GateRun) -> str:
    """Return the commit's first digits, with a + where the tree was changed; "" if unknown."""
    return run.git.commit[:8] + ("+" if run.git.dirty and run.git.commit else "")


def _panel(axes: Axes, runs: Sequence[GateRun], theme: Theme) -> None:
    reach = _reach(runs)
    axes.set_xlim(-0.6, len(runs) - 0.4)
    axes.set_ylim(-1.15 * reach, 1.15 * reach)
    policy = runs[-1].policy
    axes.axhspan(-100 * policy.tolerance, 100 * policy.tolerance, color=theme.grid, zorder=0)
    axes.axhline(0, color=theme.muted, linewidth=0.9)
    axes.axhline(100 * policy.delta, color=theme.muted, linewidth=0.9, linestyle=":")
    for x, run in enumerate(runs):
        _mark(axes, x, run, reach, theme)
        changed = x and _baseline(run) and _baseline(run) != _baseline(runs[x - 1])
        if changed:
            axes.axvline(x - 0.5, color=theme.muted, linewidth=0.9, linestyle="--")
    strip_frame(axes, theme, "left", "bottom")
    axes.grid(visible=False)
    axes.set_ylabel("change (%)", color=theme.muted, fontsize=8.5)
    step = -(-len(runs) // MOST_TICKS)
    ticks = range(len(runs) - 1, -1, -step)
    axes.set_xticks(list(ticks), [_when(runs[x]) for x in ticks], fontsize=7)


def _mark(axes: Axes, x: int, run: GateRun, reach: float, theme: Theme) -> None:
    shape, index = MARKS[run.said]
    color = theme.color(index)
    if run.ratio is None:
        axes.plot(x, -reach, shape, color=color, markersize=6, markerfacecolor="none")
        return
    low, mid, high = (
        max(-1.1 * reach, min(1.1 * reach, 100 * (value - 1)))
        for value in (run.ratio.lower, run.ratio.value, run.ratio.upper)
    )
    axes.plot((x, x), (low, high), "-", color=color, linewidth=1.4)
    (point,) = axes.plot(x, mid, shape, color=color, markersize=6)
    note(point, f"{run.verdict}: {tell_exactly(run.ratio)}, {run.started_at}")


def _key(figure: Figure, theme: Theme, y: float) -> None:
    x = 0.09
    for verdict, (shape, index) in MARKS.items():
        color = theme.color(index)
        handle = figure.add_axes((x, y - 0.001, 0.012, 0.002))
        handle.plot(0, 0, shape, color=color, markersize=6, clip_on=False)
        handle.set_axis_off()
        text = figure.text(x + 0.018, y, verdict.value, fontsize=8.5, va="center")
        text.set_color(theme.ink)
        x += 0.055 + 0.0085 * len(verdict.value)
    figure.text(x, y, "grey: tolerance   dotted: delta", fontsize=8.5, va="center").set_color(
        theme.muted
    )


def _reach(runs: Sequence[GateRun]) -> float:
    limits = [100 * abs(v - 1) for r in runs if r.ratio for v in (r.ratio.lower, r.ratio.upper)]
    return min(MOST_REACH, max([LEAST_REACH, 100 * runs[-1].policy.delta * 1.2, *limits]))


def _baseline(run: GateRun) -> str:
    return run.baseline.sha256 if run.baseline else ""


def _when(run: GateRun) -> str:
    return f"{short_commit(run) or '–'}\n{run.started_at[5:10]}"
