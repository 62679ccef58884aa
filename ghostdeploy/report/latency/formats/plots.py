"""The figures as PNG files: which there are, and which of them a report has data for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghostdeploy.report.figures import accuracy, latency, launch_strips, operators
from ghostdeploy.report.figures.style import LIGHT, Spot, Theme, encode, take_spots, use_theme
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.scene import anchor_index
from ghostdeploy.report.latency.summary import shows_paper, summarize

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """One figure: its words, what draws it, and whether a report has data for it.

    ``paper_caption`` follows where the paper's figures stand beside ours.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Report, Theme], Figure]
    applies: Callable[[Report], bool]
    paper_caption: str = ""

    def caption_for(self, report: Report) -> str:
        """Return the words under the figure."""
        papers = shows_paper(summarize(report.comparisons))
        return self.caption + (self.paper_caption if papers else "")


def _any_launch(report: Report) -> bool:
    return any(c.record.launches for c in report.comparisons)


def _always(report: Report) -> bool:
    return True


def _is_profiled(report: Report) -> bool:
    return any(c.record.profiled and c.record.profiled.profile for c in report.comparisons)


def _has_anchor(report: Report) -> bool:
    return anchor_index(summarize(report.comparisons)) is not None


PLOTS = (
    Plot(
        name="latency",
        title="Latency and ratio",
        caption=(
            "Left: latency measured here; whiskers are confidence limits. Right: the ratio to the"
            " first model."
        ),
        paper_caption=(
            " Filled is measured here, hollow is the paper's, from its Huawei P30 (Kirin 980 CPU,"
            " TFLite). The paper's milliseconds are of another device and are not drawn."
        ),
        draw=latency.draw,
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
        draw=accuracy.draw,
        applies=_has_anchor,
    ),
    Plot(
        name="operators",
        title="Where the time goes",
        caption=(
            "From a launch of each model with operator profiling, which slows it: the pieces are"
            " for comparison, the latency is in the table."
        ),
        draw=operators.draw,
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
        draw=launch_strips.draw,
        applies=_any_launch,
    ),
)


def render(report: Report, stem: str) -> dict[str, bytes]:
    """Return ``stem.NAME.png`` for each figure that the report has data for.

    Raises MissingExtraError without matplotlib.
    """
    return {file_name(stem, plot): draw_image(plot, report) for plot in applicable_plots(report)}


def applicable_plots(report: Report) -> tuple[Plot, ...]:
    """Return the figures that ``report`` has data for, in the order of PLOTS."""
    return tuple(plot for plot in PLOTS if plot.applies(report))


def file_name(stem: str, plot: Plot) -> str:
    """Return the name of the file that ``plot`` is written to."""
    return f"{stem}.{plot.name}.png"


def draw_image(plot: Plot, report: Report, theme: Theme = LIGHT, kind: str = "png") -> bytes:
    """Draw a figure and return its file's bytes, as ``png`` or ``svg``."""
    return draw_spotted(plot, report, theme, kind)[0]


def draw_spotted(
    plot: Plot, report: Report, theme: Theme, kind: str
) -> tuple[bytes, tuple[Spot, ...]]:
    """Return the same with the places on it that have something to tell."""
    with use_theme(theme):
        figure = plot.draw(report, theme)
        spots = take_spots(figure)
        return encode(figure, kind), spots
