"""A comparison of instructions as text, Markdown, JSON and one HTML file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Group
from rich.text import Text

from ghostdeploy.files import write_atomic
from ghostdeploy.report.instructions import tables
from ghostdeploy.report.instructions.tables import InstructionReport
from ghostdeploy.report.json_summary import summarize_instructions
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Grid, clean_grid
from ghostdeploy.report.parts.layout import (
    CARE,
    FAINT,
    HEADER,
    hang,
    lay_out_grid,
    safe,
    separate,
)
from ghostdeploy.report.parts.markup import escape, write_grid
from ghostdeploy.report.parts.page import fill_template

SCHEMA = "ghostdeploy.instructions/1"
TEMPLATE = "instructions.html.j2"
CELL = 200  # characters


def write_instructions(report: InstructionReport, out_dir: Path, stem: str) -> list[Path]:
    """Write ``out_dir/stem.*`` in each of FORMATS, every file whole or not at all.

    Raises MissingExtraError without Jinja2.
    """
    written = []
    for ending, render in FORMATS.items():
        path = out_dir / f"{stem}.{ending}"
        write_atomic(path, render(report))
        written.append(path)
    return written


def compose(report: InstructionReport) -> Group:
    """Return the report for a terminal."""
    facts = [hang(Text(f"{a}: ", FAINT), safe(text)) for a, text in tables.setup_facts(report)]
    cautions = [hang(Text("! ", CARE), safe(text)) for text in tables.list_cautions(report)]
    return separate(
        [
            [safe(report.title, HEADER)],
            facts,
            lay_out_grid(_without_classes(tables.overview_table(report))),
            lay_out_grid(tables.class_table(report)),
            lay_out_grid(tables.agreement_table(report)),
            [*cautions, *(hang(Text("* ", FAINT), safe(text)) for text in _notes(report))],
        ]
    )


def render_json(report: InstructionReport) -> str:
    """Return the report for machines, every operator included."""
    models = summarize_instructions(report.comparisons)
    document = {
        "schema": SCHEMA,
        "title": report.title,
        "models": models,
        "skipped": report.skipped,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def render_markdown(report: InstructionReport) -> str:
    """Return the report for a pull request."""
    facts = "\n".join(f"- {label}: {escape(text)}" for label, text in tables.setup_facts(report))
    blocks = [f"# {escape(report.title)}"]
    blocks += [f"> **Caution:** {escape(text)}" for text in tables.list_cautions(report)]
    blocks += [write_grid(tables.overview_table(report)), *map(escape, _notes(report)), facts]
    blocks.append(write_grid(tables.agreement_table(report)))
    for title, grid in tables.operator_tables(report):
        blocks += [f"## {escape(title)}", write_grid(grid)]
    return "\n\n".join(blocks) + "\n"


def render_html(report: InstructionReport) -> str:
    """Return the report as one page that needs nothing else.

    Raises MissingExtraError without Jinja2.
    """
    return fill_template(
        TEMPLATE,
        title=clean(report.title),
        setup=[(label, clean(text)) for label, text in tables.setup_facts(report)],
        cautions=[clean(text) for text in tables.list_cautions(report)],
        notes=[clean(text) for text in _notes(report)],
        overview=clean_grid(tables.overview_table(report), CELL),
        agreement=clean_grid(tables.agreement_table(report), CELL),
        tables=[
            (clean(title), clean_grid(grid, CELL)) for title, grid in tables.operator_tables(report)
        ],
    )


FORMATS: dict[str, Callable[[InstructionReport], str]] = {
    "json": render_json,
    "md": render_markdown,
    "html": render_html,
}


def _notes(report: InstructionReport) -> list[str]:
    papers = any(row.paper_latency_ms for row in report.comparisons)
    return [tables.NOTE, *([tables.PAPER_NOTE] if papers else []), *report.skipped]


def _without_classes(grid: Grid) -> Grid:
    """Drop the classes: they would make a terminal's overview too wide, and have a table there."""
    keep = [n for n, name in enumerate(grid.header) if not name.startswith(tables.CLASSES)]
    rows = tuple(tuple(row[n] for n in keep) for row in grid.rows)
    numeric = frozenset(new for new, old in enumerate(keep) if old in grid.numeric)
    return Grid(tuple(grid.header[n] for n in keep), rows, numeric)
