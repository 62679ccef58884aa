"""Markdown (GitHub's) for a pull request: the same tables as the HTML, figures by reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghostdeploy.report.latency import conditions, evidence, launchlog
from ghostdeploy.report.latency import profile as operators
from ghostdeploy.report.latency.formats import plots
from ghostdeploy.report.latency.summary import (
    MEASURED_HERE,
    NOT_MEASURED,
    PAPER,
    Row,
    cautions,
    summarise,
)
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Facts, Grid
from ghostdeploy.report.parts.numbers import (
    interval,
    megabytes,
    millions,
    printed,
    ratio,
    significant,
)
from ghostdeploy.schema import Comparison

if TYPE_CHECKING:
    from ghostdeploy.report import Report

HEADER = (
    "Model",
    "Params (M)",
    "MACs (M)",
    "File (MB)",
    f"{MEASURED_HERE}: latency (ms)",
    f"{MEASURED_HERE}: ratio",
    "*Paper's P30: latency (ms)*",
    "*Paper's P30: ratio*",
    "*Paper: top-1 (%)*",
)
NUMERIC = frozenset(range(1, len(HEADER)))
PARAGRAPH = 1000  # characters
COMMAND = 2000
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#])")


def render(report: Report, stem: str) -> dict[str, str]:
    blocks = [f"# {escape(report.title)}", *_overview(report), *_figures(report, stem)]
    blocks += [_bullets(map(escape, operators.sentences(report.comparisons)))]
    blocks += [grid_table(operators.table(report.comparisons))]
    blocks += _how(report.comparisons)
    for comparison in report.comparisons:
        blocks += _behind(comparison)
    return {f"{stem}.md": "\n\n".join(filter(None, blocks)) + "\n"}


def escape(text: object, limit: int = PARAGRAPH) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no mention of a GitHub user."""
    plain = clean(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _SPECIAL.sub(r"\\\1", plain)
    plain = re.sub(r"^([-+]|\d+[.)])(?=\s)", r"\\\1", plain)
    return re.sub(r"@(?=\w)", "@\u200b", plain)


def code(text: str, language: str = "") -> str:
    """A fenced block whose fence is longer than any run of backticks inside."""
    line = clean(text, COMMAND)
    longest = max(map(len, re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{line}\n{fence}"


def _overview(report: Report) -> Iterable[str]:
    rows = summarise(report.comparisons)
    yield from (f"> **Caution:** {escape(text)}" for text in cautions(report.comparisons))
    yield _table(HEADER, [_cells(row) for row in rows], NUMERIC)
    yield (
        f"*Columns in italics: {PAPER}; not measured here.* Brackets hold confidence limits;"
        f" the ratio's base is {escape(rows[0].title)}."
    )
    yield _bullets(f"{escape(row.title)}: {escape(row.advice)}" for row in rows if row.advice)
    yield _bullets(escape(note) for note in report.notes)


def _cells(row: Row) -> list[str]:
    return [
        escape(row.title),
        millions(row.params),
        millions(row.macs),
        megabytes(row.size_bytes),
        _latency(row),
        "1 (base)" if row.is_base and row.latency_ms else ratio(row.ratio),
        _papers(printed(row.paper_latency_ms)),
        _papers(significant(row.paper_ratio, 3)),
        _papers(printed(row.paper_top1)),
    ]


def _latency(row: Row) -> str:
    if row.latency_ms:
        return interval(row.latency_ms)
    return f"{NOT_MEASURED}: {escape(row.why_not)}"


def _papers(number: str) -> str:
    return f"*{number}*"


def _figures(report: Report, stem: str) -> Iterable[str]:
    for figure in plots.available(report):
        name = quote(plots.file_name(stem, figure))
        yield f"![{figure.title}]({name})\n\n{figure.caption}"


def _how(comparisons: Sequence[Comparison]) -> list[str]:
    return [
        "## How it was measured",
        _facts(conditions.setup(comparisons)),
        grid_table(conditions.launch_summary(comparisons)),
        grid_table(launchlog.state(comparisons)),
    ]


def _behind(comparison: Comparison) -> Iterable[str]:
    yield f"## Evidence: {escape(comparison.title)}"
    yield _facts(evidence.evidence(comparison))
    command = evidence.command(comparison)
    yield code(command, "sh") if command else ""
    yield grid_table(evidence.parity(comparison))
    counts = evidence.op_counts(comparison)
    yield "Operators: " + ", ".join(f"{escape(op)} {n}" for op, n in counts) if counts else ""
    yield grid_table(launchlog.failures(comparison))
    rows = launchlog.launches(comparison)
    if rows.rows:
        yield f"<details><summary>Every launch</summary>\n\n{grid_table(rows)}\n\n</details>"


def _facts(facts: Facts) -> str:
    return _bullets(f"{escape(label)}: {escape(text)}" for label, text in facts)


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def grid_table(grid: Grid) -> str:
    """A table with every cell escaped; "" for one without rows."""
    if not grid.rows:
        return ""
    cells = [[escape(cell, 300) for cell in row] for row in grid.rows]
    return _table(tuple(map(escape, grid.header)), cells, grid.numeric)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> str:
    rule = ["--:" if column in numeric else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
