"""The trend of gates: one picture a device, one row a run, in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.report.figures import trend
from ghostdeploy.report.figures.style import (
    DARK,
    LIGHT,
    Spot,
    Theme,
    clean_spots,
    encode,
    take_spots,
    use_theme,
)
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Grid, clean_grid, format_share
from ghostdeploy.report.parts.numbers import ABSENT, format_interval, format_percent, format_ratio
from ghostdeploy.report.parts.page import embed_svg, fill_template

TEMPLATE = "history.html.j2"
HEADER = (
    "When", "Gate", "Verdict", "Why", "Ratio", "Pairs", "Noise", "Candidate (ms)", "Commit", "By",
)  # fmt: skip
NUMERIC = frozenset({4, 5, 6, 7})
CELL = 300  # characters
MOST_ROWS = 2000  # of a device, the latest


def render(runs: Sequence[GateRun], skipped: int, stem: str) -> dict[str, str]:
    """Return ``stem.html`` of ``runs`` in their order; ``skipped`` lines of the log were not read.

    Raises MissingExtraError without Jinja2 or matplotlib.
    """
    devices = [
        _device(name, [run for run in runs if run.device == name])
        for name in dict.fromkeys(run.device for run in runs)
    ]
    page = fill_template(
        TEMPLATE,
        runs=len(runs),
        skipped=skipped,
        devices=devices,
    )
    return {f"{stem}.html": page}


def _device(name: str, runs: Sequence[GateRun]) -> dict[str, object]:
    light, spots = _draw(runs, LIGHT)
    return {
        "name": clean(name),
        "light": light,
        "dark": _draw(runs, DARK)[0],
        "spots": spots,
        "grid": clean_grid(
            Grid(HEADER, tuple(map(_row, reversed(runs[-MOST_ROWS:]))), NUMERIC), CELL
        ),
    }


def _row(run: GateRun) -> tuple[str, ...]:
    return (
        run.started_at.replace("T", " ").replace("+00:00", " UTC"),
        run.name,
        run.verdict,
        run.why,
        format_ratio(run.ratio),
        format_share(run.valid_pairs, run.attempted) if run.attempted else ABSENT,
        format_percent(run.noise),
        format_interval(run.candidate.latency_ms),
        trend.short_commit(run) or ABSENT,
        run.git.author or ABSENT,
    )


def _draw(runs: Sequence[GateRun], theme: Theme) -> tuple[str, list[Spot]]:
    with use_theme(theme):
        figure = trend.draw(runs, theme)
        spots = clean_spots(take_spots(figure))
        return embed_svg(encode(figure, "svg")), spots
