"""The comparison as plain text for a terminal, at most ``WIDTH`` columns wide."""

from __future__ import annotations

from ghostdeploy.report.latency import profile
from ghostdeploy.report.latency.conditions import setup_facts
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import (
    MEASURED_HERE,
    NOT_MEASURED,
    SummaryRow,
    list_cautions,
    summarize,
)
from ghostdeploy.report.parts.clean_text import clean, display_width, pad, wrap
from ghostdeploy.report.parts.columns import align_columns
from ghostdeploy.report.parts.numbers import (
    ABSENT,
    format_as_printed,
    format_interval,
    format_megabytes,
    format_millions,
    format_number,
    format_ratio,
)

WIDTH = 100
MIN_NAME, MAX_NAME = 10, 40
GAP = "  "
PAPER_LABEL = "Paper's P30"
HEADER = ("Model", "Params", "MACs", "File", "Latency (ms)", "Ratio", "Latency", "Ratio")
UNITS = ("", "(M)", "(M)", "(MB)", "[limits]", "[limits]", "(ms)", "")
PAPER_COLUMNS = 2
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
    """Return ``stem.txt``, what the terminal shows."""
    return {f"{stem}.txt": render_text(report)}


def render_text(report: Report) -> str:
    """Return title, setup, the table, then whatever must be said about it."""
    blocks = [
        wrap(clean(report.title), WIDTH),
        _setup_lines(report),
        _table_lines(summarize(report.comparisons)),
        _operator_lines(report),
        _remarks(report),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _setup_lines(report: Report) -> list[str]:
    facts = [fact for fact in setup_facts(report.comparisons) if fact[0] in SHOWN_FACTS]
    text = [_hanging(f"{label}: ", clean(value, 600)) for label, value in facts]
    return [line for lines in text for line in lines]


def _table_lines(rows: tuple[SummaryRow, ...]) -> list[str]:
    cells = [_cells(row) for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*cells, HEADER, UNITS, strict=True)]
    widths[-PAPER_COLUMNS:] = _at_least(widths[-PAPER_COLUMNS:], display_width(PAPER_LABEL))
    rest = WIDTH - sum(widths[1:]) - len(GAP) * (len(widths) - 1) - len("| ")
    widths[0] = max(MIN_NAME, min(MAX_NAME, rest, widths[0]))
    lines = [_groups(widths), _line(HEADER, widths), _line(UNITS, widths)]
    lines.append("-" * display_width(lines[1]))
    for row in cells:
        first, *more = _wrapped_name(row[0], widths[0])
        lines.append(_line((first, *row[1:]), widths))
        lines += more
    return [line.rstrip() for line in lines]


def _wrapped_name(name: str, width: int) -> list[str]:
    """Return lines of at most ``width`` columns, all but the first indented."""
    first = wrap(name, width)[0]
    rest = name[len(first) :].strip()
    return [first, *(f"{GAP}{line}" for line in wrap(rest, width - len(GAP)) if line)]


def _cells(row: SummaryRow) -> tuple[str, ...]:
    return (
        clean(row.title, 2 * MAX_NAME),
        format_millions(row.params),
        format_millions(row.macs),
        format_megabytes(row.size_bytes),
        format_interval(row.latency_ms) if row.latency_ms else NOT_MEASURED,
        "1 (base)" if row.is_base and row.latency_ms else format_ratio(row.ratio),
        format_as_printed(row.paper_latency_ms),
        format_number(row.paper_ratio, 3),
    )


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        pad(cell, width, right=column > 0)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    padded[-PAPER_COLUMNS] = f"| {padded[-PAPER_COLUMNS]}"
    return GAP.join(padded)


def _groups(widths: list[int]) -> str:
    before = sum(widths[:4]) + 4 * len(GAP)
    measured = sum(widths[4:6]) + len(GAP)
    return f"{' ' * before}{pad(MEASURED_HERE, measured)}{GAP}| {PAPER_LABEL}"


def _at_least(widths: list[int], needed: int) -> list[int]:
    missing = needed - sum(widths) - len(GAP) * (len(widths) - 1)
    return [widths[0] + max(0, missing), *widths[1:]]


def _operator_lines(report: Report) -> list[str]:
    grid = profile.kind_table(report.comparisons)
    if not grid.rows:
        return []
    header = [clean(name, MIN_NAME * 3) for name in grid.header]
    cells = [[clean(cell, MIN_NAME * 3) for cell in row] for row in grid.rows]
    said = [
        _hanging("", clean(text, 600)) for text in profile.difference_sentences(report.comparisons)
    ]
    return [*align_columns(header, cells), *(line for lines in said for line in lines)]


def _remarks(report: Report) -> list[str]:
    remarks = [("! ", text) for text in list_cautions(report.comparisons)]
    for row in summarize(report.comparisons):
        if row.reasons and row.latency_ms and row.valid:
            why = "; ".join(f"{count}\u00d7 {reason}" for reason, count in row.reasons)
            remarks.append(
                ("! ", f"{row.title}: {row.valid} of {row.total} launches valid ({why})")
            )
        if row.advice:
            remarks.append(("> ", f"{row.title}: {row.advice}"))
    remarks += [("* ", note) for note in report.notes]
    if any(c.paper_latency_ms or c.paper_ratio for c in report.comparisons):
        remarks.append(("* ", FOOTNOTE))
    return [line for mark, text in remarks for line in _hanging(mark, clean(text, 600))]


def _hanging(mark: str, text: str) -> list[str]:
    indent = min(len(mark), 4)
    first, *more = wrap(text, WIDTH - len(mark)) or [ABSENT]
    return [mark + first, *(" " * indent + line for line in more)]
