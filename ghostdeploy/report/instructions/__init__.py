"""Reports of instructions counted on an emulated core; times are in the other reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ghostdeploy.files import write_atomic
from ghostdeploy.report.instructions.content import InstructionReport
from ghostdeploy.report.instructions.formats import render_html, render_json, render_markdown

FORMATS: dict[str, Callable[[InstructionReport], str]] = {
    "json": render_json,
    "md": render_markdown,
    "html": render_html,
}


def write_instructions(report: InstructionReport, out_dir: Path, stem: str) -> list[Path]:
    """Write ``out_dir/stem.*`` in each format, every file whole or not at all."""
    written = []
    for ending, render in FORMATS.items():
        path = out_dir / f"{stem}.{ending}"
        write_atomic(path, render(report))
        written.append(path)
    return written
