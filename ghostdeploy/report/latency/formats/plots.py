"""The figures: which there are, which a report has data for, and their PNG and SVG bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ghostdeploy.report.figures.style import LIGHT, Theme, drawing, encode
from ghostdeploy.report.latency.scene import anchor_index
from ghostdeploy.report.latency.summary import summarise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ghostdeploy.report import Report


@dataclass(frozen=True)
class Plot:
    """One figure. ``module`` has draw(report, theme) -> matplotlib Figure."""

    name: str
    title: str
    caption: str
    module: str
    applies: Callable[[Report], bool]


def _any_launch(report: Report) -> bool:
    return any(c.record.launches for c in report.comparisons)


def _always(report: Report) -> bool:
    return True


def _is_profiled(report: Report) -> bool:
    return any(c.record.profiled and c.record.profiled.profile for c in report.comparisons)


def _has_anchor(report: Report) -> bool:
    return anchor_index(summarise(report.comparisons)) is not None


PLOTS = (
    Plot(
        name="latency",
        title="Latency and ratio",
        caption=(
            "Left: latency measured here; whiskers are confidence limits. Right: the ratio to the"
            " first model; filled is measured here, hollow is the paper's, from its Huawei P30"
            " (Kirin 980 CPU, TFLite). The paper's milliseconds are of another device and are not"
            " drawn."
        ),
        module="ghostdeploy.report.figures.latency",
        applies=_always,
    ),
    Plot(
        name="accuracy",
        title="Accuracy against latency",
        caption=(
            "After the paper's Figure 2. Both axes of a hollow marker are the paper's; a filled"
            " marker has its latency measured here and its top-1 taken from the paper: the"
            " weights that ran may be untrained, and latency does not depend on them. A"
            " dotted line joins the two points of one model. Each device's latencies are"
            " relative to the same model on that device, so that two devices fit on one axis."
        ),
        module="ghostdeploy.report.figures.accuracy",
        applies=_has_anchor,
    ),
    Plot(
        name="operators",
        title="Where the time goes",
        caption=(
            "From a launch of each model with operator profiling, which slows it: the pieces are"
            " for comparison, the latency is in the table."
        ),
        module="ghostdeploy.report.figures.operators",
        applies=_is_profiled,
    ),
    Plot(
        name="launches",
        title="Launches over time",
        caption=(
            "One dot is one launch (a process of its own), as its deviation from its model's"
            " median over the valid launches. Hollow: invalid, not counted. A trend that all"
            " models share is drift of the device."
        ),
        module="ghostdeploy.report.figures.launch_strips",
        applies=_any_launch,
    ),
)


def render(report: Report, stem: str) -> dict[str, bytes]:
    """``stem.NAME.png`` for each figure that the report has data for."""
    return {file_name(stem, plot): image(plot, report) for plot in available(report)}


def available(report: Report) -> tuple[Plot, ...]:
    return tuple(plot for plot in PLOTS if plot.applies(report))


def file_name(stem: str, plot: Plot) -> str:
    return f"{stem}.{plot.name}.png"


def image(plot: Plot, report: Report, theme: Theme = LIGHT, kind: str = "png") -> bytes:
    """The drawn figure as ``png`` or ``svg``."""
    draw = cast("Callable[[Report, Theme], Figure]", import_module(plot.module).draw)
    with drawing(theme):
        return encode(draw(report, theme), kind)
