"""A comparison of instructions as text, Markdown, JSON and one HTML file."""

from __future__ import annotations

import json
from dataclasses import asdict

from ghostdeploy.report.instructions import tables as content
from ghostdeploy.report.instructions.tables import InstructionReport
from ghostdeploy.report.latency.formats.html import POLICY
from ghostdeploy.report.latency.formats.markdown import escape, grid_table
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.columns import aligned
from ghostdeploy.report.parts.grid import Grid
from ghostdeploy.report.parts.page import fill
from ghostdeploy.schema import InstructionComparison

SCHEMA = "ghostdeploy.instructions/1"
TEMPLATE = "instructions.html.j2"


def render_text(report: InstructionReport, operators: bool = False) -> str:
    """For a terminal; the operators only where asked for."""
    facts = [f"{label}: {clean(text)}" for label, text in content.setup(report)]
    overview = content.overview(report)
    blocks = [[clean(report.title)], facts, _lines(_terminal(overview))]
    blocks += [_lines(content.classes(report)), _lines(content.agreement(report))]
    if operators:
        blocks += [[clean(title), *_lines(grid)] for title, grid in content.tables(report)]
    remarks = [f"! {clean(text)}" for text in content.cautions(report)]
    remarks += [f"* {text}" for text in _notes(report)]
    return "\n\n".join("\n".join(block) for block in [*blocks, remarks] if block) + "\n"


def render_markdown(report: InstructionReport) -> str:
    facts = "\n".join(f"- {label}: {escape(text)}" for label, text in content.setup(report))
    blocks = [f"# {escape(report.title)}"]
    blocks += [f"> **Caution:** {escape(text)}" for text in content.cautions(report)]
    blocks += [grid_table(content.overview(report)), *_notes(report), facts]
    blocks.append(grid_table(content.agreement(report)))
    for title, grid in content.tables(report):
        blocks += [f"## {escape(title)}", grid_table(grid)]
    return "\n\n".join(blocks) + "\n"


def render_json(report: InstructionReport) -> str:
    document = {"schema": SCHEMA, "title": report.title, "models": summary(report.comparisons)}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def summary(rows: tuple[InstructionComparison, ...]) -> list[dict[str, object]]:
    """What machines are told of each model."""
    return [
        {
            "title": row.title,
            "file": row.record.artifact.path,
            "kernels": content.kernels(row),
            "instructions": asdict(row.instructions) | {"total": row.instructions.total},
            "ratio": row.ratio,
            "paper": {
                "latency_ms": row.paper_latency_ms,
                "ratio": row.paper_ratio,
                "source": row.paper_source,
            },
            "evidence": asdict(row.record.evidence),
            "device": asdict(row.record.device),
        }
        for row in rows
    ]


def render_html(report: InstructionReport) -> str:
    """Raises MissingExtraError without Jinja2."""
    return fill(
        TEMPLATE,
        policy=POLICY,
        title=clean(report.title),
        setup=[(label, clean(text)) for label, text in content.setup(report)],
        cautions=[clean(text) for text in content.cautions(report)],
        notes=_notes(report),
        overview=_clean(content.overview(report)),
        agreement=_clean(content.agreement(report)),
        tables=[(clean(title), _clean(grid)) for title, grid in content.tables(report)],
    )


def _notes(report: InstructionReport) -> list[str]:
    papers = any(row.paper_latency_ms for row in report.comparisons)
    return [content.NOTE, *([content.PAPER_NOTE] if papers else [])]


def _terminal(grid: Grid) -> Grid:
    """The overview without the classes: they would make it too wide, and have a table there."""
    keep = [n for n, name in enumerate(grid.header) if not name.startswith(content.CLASSES)]
    rows = tuple(tuple(row[n] for n in keep) for row in grid.rows)
    return Grid(tuple(grid.header[n] for n in keep), rows)


def _lines(grid: Grid) -> list[str]:
    return aligned(grid.header, [[clean(cell, 60) for cell in row] for row in grid.rows])


def _clean(grid: Grid) -> Grid:
    rows = tuple(tuple(clean(cell, 200) for cell in row) for row in grid.rows)
    return Grid(grid.header, rows, grid.numeric)
