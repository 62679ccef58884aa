"""One HTML file that needs nothing else: CSS inline, figures as data URIs, no scripts."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ghostdeploy.report.figures.style import DARK, LIGHT, Theme
from ghostdeploy.report.latency import conditions, evidence, launchlog
from ghostdeploy.report.latency import profile as operators
from ghostdeploy.report.latency.formats import plots
from ghostdeploy.report.latency.summary import MEASURED_HERE, PAPER, Row, cautions, summarise
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Facts, Grid
from ghostdeploy.report.parts.numbers import (
    limits,
    megabytes,
    millions,
    percent,
    printed,
    significant,
)
from ghostdeploy.report.parts.page import fill
from ghostdeploy.schema import Comparison, Interval

if TYPE_CHECKING:
    from ghostdeploy.report import Report

TEMPLATE = "report.html.j2"
PARAGRAPH, CELL, COMMAND = 1000, 300, 4000  # characters
SUBTITLE_FACTS = ("Device", "Runtime", "Threads")
# Nothing may be fetched, whatever a record says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render(report: Report, stem: str) -> dict[str, str]:
    return {f"{stem}.html": fill(TEMPLATE, **_context(report))}


def _context(report: Report) -> dict[str, Any]:
    """Everything the template shows: cleaned strings, never yet escaped."""
    comparisons = report.comparisons
    rows = summarise(comparisons)
    setup = conditions.setup(comparisons)
    return {
        "policy": POLICY,
        "title": clean(report.title),
        "subtitle": [clean(f"{k}: {v}", CELL) for k, v in setup if k in SUBTITLE_FACTS],
        "cautions": [clean(text, PARAGRAPH) for text in cautions(comparisons)],
        "notes": [clean(note, PARAGRAPH) for note in report.notes],
        "advice": [(clean(r.title), clean(r.advice, PARAGRAPH)) for r in rows if r.advice],
        "measured_here": MEASURED_HERE,
        "paper": PAPER,
        "base": clean(rows[0].title),
        "rows": [_row(row) for row in rows],
        "figures": [_figure(plot, report) for plot in plots.available(report)],
        "operators": _grid(operators.table(comparisons)),
        "differences": [clean(text, PARAGRAPH) for text in operators.sentences(comparisons)],
        "setup": _facts(setup),
        "launch_summary": _grid(conditions.launch_summary(comparisons)),
        "state": _grid(launchlog.state(comparisons)),
        "models": [_model(*pair) for pair in zip(comparisons, rows, strict=True)],
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "index": row.index % len(LIGHT.colors),
        "title": clean(row.title),
        "is_base": row.is_base,
        "params": millions(row.params),
        "macs": millions(row.macs),
        "size": megabytes(row.size_bytes),
        "latency": _estimate(row.latency_ms, 4),
        "ratio": _estimate(row.ratio, 3),
        "why_not": clean(row.why_not),
        "noise": percent(row.noise),
        "paper_latency": printed(row.paper_latency_ms),
        "paper_ratio": significant(row.paper_ratio, 3),
        "paper_top1": printed(row.paper_top1),
        "paper_source": clean(row.paper_source),
    }


def _estimate(estimate: Interval | None, digits: int) -> tuple[str, str] | None:
    """Value and limits, apart: the template sets them differently."""
    if estimate is None:
        return None
    return significant(estimate.value, digits), limits(estimate, digits)


def _figure(plot: plots.Plot, report: Report) -> dict[str, str]:
    return {
        "title": plot.title,
        "caption": plot.caption,
        "light": _data_uri(plot, report, LIGHT),
        "dark": _data_uri(plot, report, DARK),
    }


def _data_uri(plot: plots.Plot, report: Report, theme: Theme) -> str:
    image = plots.image(plot, report, theme, "svg")
    return f"data:image/svg+xml;base64,{base64.b64encode(image).decode('ascii')}"


def _model(comparison: Comparison, row: Row) -> dict[str, object]:
    return {
        "index": row.index % len(LIGHT.colors),
        "title": clean(comparison.title),
        "facts": _facts(evidence.evidence(comparison)),
        "command": clean(evidence.command(comparison), COMMAND),
        "parity": _grid(evidence.parity(comparison)),
        "ops": [(clean(name), count) for name, count in evidence.op_counts(comparison)],
        "failures": _grid(launchlog.failures(comparison)),
        "launches": _grid(launchlog.launches(comparison)),
    }


def _facts(facts: Facts) -> Facts:
    return tuple((clean(label), clean(text, PARAGRAPH)) for label, text in facts)


def _grid(grid: Grid) -> Grid:
    rows = tuple(tuple(clean(cell, CELL) for cell in row) for row in grid.rows)
    return Grid(tuple(map(clean, grid.header)), rows, grid.numeric)
