"""Markdown (GitHub's) for a pull request: the same tables as the HTML, figures by reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from ghostdeploy.report.latency import conditions, evidence, launchlog, profile
from ghostdeploy.report.latency.formats.plots import applicable_plots, file_name
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import (
    MEASURED_HERE,
    NOT_MEASURED,
    PAPER,
    SummaryRow,
    list_cautions,
    shows_paper,
    summarize,
)
from ghostdeploy.report.parts.grid import Facts
from ghostdeploy.report.parts.markup import escape, fence, write_grid, write_table
from ghostdeploy.report.parts.numbers import (
    format_as_printed,
    format_interval,
    format_megabytes,
    format_millions,
    format_number,
    format_ratio,
)
from ghostdeploy.schema import Comparison

HEADER = (
    "Model",
    "Params (M)",
    "MACs (M)",
    "File (MB)",
    f"{MEASURED_HERE}: latency (ms)",
    f"{MEASURED_HERE}: ratio",
)
PAPER_HEADER = ("*Paper's P30: latency (ms)*", "*Paper's P30: ratio*", "*Paper: top-1 (%)*")


def render(report: Report, stem: str) -> dict[str, str]:
    """Return ``stem.md``; its figures are the files that ``plots`` writes."""
    blocks = [f"# {escape(report.title)}", *_overview(report), *_figures(report, stem)]
    blocks += [_bullets(map(escape, profile.difference_sentences(report.comparisons)))]
    blocks += [write_grid(profile.kind_table(report.comparisons))]
    blocks += _how(report.comparisons)
    for comparison in report.comparisons:
        blocks += _behind(comparison)
    return {f"{stem}.md": "\n\n".join(filter(None, blocks)) + "\n"}


def _overview(report: Report) -> Iterable[str]:
    rows = summarize(report.comparisons)
    yield from (f"> **Caution:** {escape(text)}" for text in list_cautions(report.comparisons))
    papers = shows_paper(rows)
    header = (*HEADER, *(PAPER_HEADER if papers else ()))
    cells = [[*_cells(row), *(_paper_cells(row) if papers else ())] for row in rows]
    yield write_table(header, cells, frozenset(range(1, len(header))))
    italics = f"*Columns in italics: {PAPER}; not measured here.* " if papers else ""
    base = escape(rows[0].title)
    yield f"{italics}Brackets hold confidence limits; the ratio's base is {base}."
    yield _bullets(f"{escape(row.title)}: {escape(row.advice)}" for row in rows if row.advice)
    yield _bullets(escape(note) for note in report.notes)


def _cells(row: SummaryRow) -> list[str]:
    return [
        escape(row.title),
        format_millions(row.params),
        format_millions(row.macs),
        format_megabytes(row.size_bytes),
        _latency(row),
        "1 (base)" if row.is_base and row.latency_ms else format_ratio(row.ratio),
    ]


def _paper_cells(row: SummaryRow) -> list[str]:
    return [
        _papers(format_as_printed(row.paper_latency_ms)),
        _papers(format_number(row.paper_ratio, 3)),
        _papers(format_as_printed(row.paper_top1)),
    ]


def _latency(row: SummaryRow) -> str:
    if row.latency_ms:
        return format_interval(row.latency_ms)
    return f"{NOT_MEASURED}: {escape(row.why_not)}"


def _papers(number: str) -> str:
    return f"*{number}*"


def _figures(report: Report, stem: str) -> Iterable[str]:
    for figure in applicable_plots(report):
        name = quote(file_name(stem, figure))
        yield f"![{figure.title}]({name})\n\n{figure.caption_for(report)}"


def _how(comparisons: Sequence[Comparison]) -> list[str]:
    return [
        "## How it was measured",
        _facts(conditions.setup_facts(comparisons)),
        write_grid(conditions.launch_summary_table(comparisons)),
        write_grid(launchlog.state_table(comparisons)),
    ]


def _behind(comparison: Comparison) -> Iterable[str]:
    yield f"## Evidence: {escape(comparison.title)}"
    yield _facts(evidence.evidence_facts(comparison))
    command = evidence.launch_command(comparison)
    yield fence(command, "sh") if command else ""
    yield write_grid(evidence.parity_table(comparison))
    counts = evidence.count_operators(comparison)
    yield "Operators: " + ", ".join(f"{escape(op)} {n}" for op, n in counts) if counts else ""
    yield write_grid(launchlog.failure_table(comparison))
    launches = launchlog.launch_table(comparison)
    if launches.rows:
        yield f"<details><summary>Every launch</summary>\n\n{write_grid(launches)}\n\n</details>"


def _facts(facts: Facts) -> str:
    return _bullets(f"{escape(label)}: {escape(text)}" for label, text in facts)


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)
