"""One HTML file that needs nothing else: CSS and one script inline, figures as data URIs."""

from __future__ import annotations

from ghostdeploy.report.figures.style import DARK, LIGHT, clean_spots
from ghostdeploy.report.latency import conditions, evidence, launchlog, profile
from ghostdeploy.report.latency.formats.plots import (
    Plot,
    applicable_plots,
    draw_image,
    draw_spotted,
)
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import (
    MEASURED_HERE,
    PAPER,
    SummaryRow,
    list_cautions,
    shows_paper,
    summarize,
)
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Facts, Grid, clean_grid
from ghostdeploy.report.parts.numbers import (
    WrittenNumber,
    format_as_printed,
    format_limits,
    format_megabytes,
    format_millions,
    format_number,
    format_percent,
    tell_exactly,
)
from ghostdeploy.report.parts.page import PACKAGE, TABLES, embed_svg, fill_template
from ghostdeploy.schema import Comparison, Interval

TEMPLATE = "report.html.j2"
PARAGRAPH, CELL, COMMAND = 1000, 300, 4000  # characters
# Each column of numbers with its CSS class; the last three only where the paper has any.
COLUMNS = (
    ("Params (M)", ""),
    ("MACs (M)", ""),
    ("File (MB)", ""),
    ("Latency (ms)", "here"),
    ("Ratio", "here"),
    ("Noise", "here"),
)
PAPER_COLUMNS = (("Latency (ms)", "paper"), ("Ratio", "paper"), ("Top-1 (%)", "paper"))
SUBTITLE_FACTS = ("Device", "Runtime", "Threads")


def render(report: Report, stem: str) -> dict[str, str]:
    """Return ``stem.html``, the figures in a light and a dark form.

    Raises MissingExtraError without matplotlib or Jinja2.
    """
    page = fill_template(TEMPLATE, package=PACKAGE, scripts=TABLES, **_context(report))
    return {f"{stem}.html": page}


def _context(report: Report) -> dict[str, object]:
    """Return everything that the template shows: cleaned strings, never yet escaped."""
    comparisons = report.comparisons
    rows = summarize(comparisons)
    setup = conditions.setup_facts(comparisons)
    return {
        "title": clean(report.title),
        "subtitle": [clean(f"{k}: {v}", CELL) for k, v in setup if k in SUBTITLE_FACTS],
        "cautions": [clean(text, PARAGRAPH) for text in list_cautions(comparisons)],
        "notes": [clean(note, PARAGRAPH) for note in report.notes],
        "advice": [(clean(r.title), clean(r.advice, PARAGRAPH)) for r in rows if r.advice],
        "measured_here": MEASURED_HERE,
        "paper": PAPER if shows_paper(rows) else "",
        "columns": COLUMNS + (PAPER_COLUMNS if shows_paper(rows) else ()),
        "base": clean(rows[0].title),
        "rows": [_row(row) for row in rows],
        "figures": [_figure(plot, report) for plot in applicable_plots(report)],
        "operators": _grid(profile.kind_table(comparisons)),
        "differences": [
            clean(text, PARAGRAPH) for text in profile.difference_sentences(comparisons)
        ],
        "setup": _facts(setup),
        "launch_summary": _grid(conditions.launch_summary_table(comparisons)),
        "state": _grid(launchlog.state_table(comparisons)),
        "models": [_model(*pair) for pair in zip(comparisons, rows, strict=True)],
    }


def _row(row: SummaryRow) -> dict[str, object]:
    return {
        "index": row.index % len(LIGHT.colors),
        "title": clean(row.title),
        "is_base": row.is_base,
        "network": (
            format_millions(row.params),
            format_millions(row.macs),
            format_megabytes(row.size_bytes),
        ),
        "latency": _estimate(row.latency_ms, 4),
        "ratio": _estimate(row.ratio, 3),
        "why_not": clean(row.why_not),
        "noise": format_percent(row.noise),
        "paper": (
            format_as_printed(row.paper_latency_ms),
            format_number(row.paper_ratio, 3),
            format_as_printed(row.paper_top1),
        ),
    }


def _estimate(estimate: Interval | None, digits: int) -> tuple[str, str] | None:
    """Return value and limits apart: the template sets them differently."""
    if estimate is None:
        return None
    text = format_number(estimate.value, digits)
    value = WrittenNumber(text, estimate.value, tell_exactly(estimate))
    return value, format_limits(estimate, digits)


def _figure(plot: Plot, report: Report) -> dict[str, object]:
    light, spots = draw_spotted(plot, report, LIGHT, "svg")
    return {
        "title": plot.title,
        "caption": plot.caption_for(report),
        "light": embed_svg(light),
        "dark": embed_svg(draw_image(plot, report, DARK, "svg")),
        "spots": clean_spots(spots),
    }


def _model(comparison: Comparison, row: SummaryRow) -> dict[str, object]:
    return {
        "index": row.index % len(LIGHT.colors),
        "title": clean(comparison.title),
        "facts": _facts(evidence.evidence_facts(comparison)),
        "command": clean(evidence.launch_command(comparison), COMMAND),
        "parity": _grid(evidence.parity_table(comparison)),
        "ops": [(clean(name), count) for name, count in evidence.count_operators(comparison)],
        "failures": _grid(launchlog.failure_table(comparison)),
        "launches": _grid(launchlog.launch_table(comparison)),
    }


def _facts(facts: Facts) -> Facts:
    return tuple((clean(label), clean(text, PARAGRAPH)) for label, text in facts)


def _grid(grid: Grid) -> Grid:
    return clean_grid(grid, CELL)
