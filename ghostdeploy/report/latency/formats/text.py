"""The comparison for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from ghostdeploy.report.latency import profile
from ghostdeploy.report.latency.conditions import setup_facts
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import (
    NOT_MEASURED,
    SummaryRow,
    list_cautions,
    shows_paper,
    summarize,
)
from ghostdeploy.report.parts.layout import (
    BAD,
    CARE,
    FAINT,
    HEADER,
    FittedTable,
    hang,
    lay_out,
    lay_out_grid,
    safe,
    separate,
)
from ghostdeploy.report.parts.layout import (
    render as draw,
)
from ghostdeploy.report.parts.numbers import (
    format_as_printed,
    format_interval,
    format_megabytes,
    format_millions,
    format_number,
    format_ratio,
)
from ghostdeploy.report.parts.reasons import describe_reasons

MEASURED = (
    "Model",
    "Params\n(M)",
    "MACs\n(M)",
    "File\n(MB)",
    "Latency (ms)\n[limits]",
    "Ratio\n[limits]",
)
PAPERS = ("Paper's\nP30 (ms)", "Paper's\nratio")
SHOWN_FACTS = (
    "Device",
    "Runtime",
    "XNNPACK",
    "Delegate",
    "Input shapes",
    "Threads",
    "Cores",
    "Runs a launch",
)
FOOTNOTE = (
    "The paper's columns are of its phone (Kirin 980 CPU, TFLite); nothing in them was measured"
    " here."
)


def render(report: Report, stem: str) -> dict[str, str]:
    """Return ``stem.txt``, what is printed where there is no terminal."""
    return {f"{stem}.txt": draw(compose(report))}


def compose(report: Report) -> Group:
    """Return title, setup, the table, then whatever must be said about it."""
    return separate(
        [
            [safe(report.title, HEADER)],
            list(_setup(report)),
            [_table(report)],
            [*lay_out_grid(profile.kind_table(report.comparisons))],
            [hang("", safe(text)) for text in profile.difference_sentences(report.comparisons)],
            list(_remarks(report)),
        ]
    )


def _setup(report: Report) -> Iterator[RenderableType]:
    for label, value in setup_facts(report.comparisons):
        if label in SHOWN_FACTS:
            yield hang(Text(f"{label}: ", FAINT), safe(value))


def _table(report: Report) -> FittedTable:
    summary = summarize(report.comparisons)
    header = MEASURED + PAPERS if shows_paper(summary, top1=False) else MEASURED
    rows = [_cells(row)[: len(header)] for row in summary]
    faint = dict.fromkeys(range(len(MEASURED), len(header)), FAINT)
    return lay_out(header, rows, range(1, len(header)), faint)


def _cells(row: SummaryRow) -> tuple[str | Text, ...]:
    latency = format_interval(row.latency_ms) if row.latency_ms else Text(NOT_MEASURED, BAD)
    return (
        row.title,
        format_millions(row.params),
        format_millions(row.macs),
        format_megabytes(row.size_bytes),
        latency,
        "1 (base)" if row.is_base and row.latency_ms else format_ratio(row.ratio),
        format_as_printed(row.paper_latency_ms),
        format_number(row.paper_ratio, 3),
    )


def _remarks(report: Report) -> Iterator[RenderableType]:
    for text in list_cautions(report.comparisons):
        yield hang(Text("! ", CARE), safe(text))
    rows = summarize(report.comparisons)
    for row in rows:
        if row.reasons and row.latency_ms and row.valid:
            count = f"{row.title}: {row.valid} of {row.total} launches valid"
            yield hang(Text("! ", CARE), safe(f"{count} ({describe_reasons(dict(row.reasons))})"))
        if row.advice:
            yield hang(Text("> ", CARE), safe(f"{row.title}: {row.advice}"))
    for note in (*report.notes, *([FOOTNOTE] if shows_paper(rows, top1=False) else [])):
        yield hang(Text("* ", FAINT), safe(note))
