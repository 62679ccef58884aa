"""The formats of a comparison of latencies. One is a file with ``render`` and a row of FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ghostdeploy.errors import UsageError
from ghostdeploy.files import write_atomic
from ghostdeploy.report.latency.formats.html import render as render_html
from ghostdeploy.report.latency.formats.jsonfile import render as render_json
from ghostdeploy.report.latency.formats.markdown import render as render_markdown
from ghostdeploy.report.latency.formats.plots import render as render_plots
from ghostdeploy.report.latency.formats.text import render as render_text
from ghostdeploy.report.latency.report import Report

MAX_STEM = 120  # characters; file systems allow 255 bytes with the endings
Rendered = Mapping[str, str | bytes]  # file name -> content

# The light ones first: a missing extra then costs only the formats that need it.
FORMATS: dict[str, Callable[[Report, str], Rendered]] = {
    "json": render_json,
    "md": render_markdown,
    "txt": render_text,
    "png": render_plots,
    "html": render_html,
}
DEFAULT_FORMATS = ("json", "md", "png", "html")


def write_report(
    report: Report,
    out_dir: Path,
    stem: str,
    formats: tuple[str, ...] = DEFAULT_FORMATS,
) -> list[Path]:
    """Write ``out_dir/stem.*`` in each format, every file whole or not at all.

    Raises UsageError for an unknown format or a stem that is not a plain file name, and
    MissingExtraError where matplotlib or Jinja2 is absent.
    """
    _check(stem, formats)
    written = []
    for name in formats:
        for file_name, content in FORMATS[name](report, stem).items():
            write_atomic(out_dir / file_name, content)
            written.append(out_dir / file_name)
    return written


def _check(stem: str, formats: tuple[str, ...]) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"unknown report format {unknown[0]!r}; there are: {', '.join(FORMATS)}")
    if (
        stem.startswith(".")
        or not stem
        or len(stem) > MAX_STEM
        or set(stem) & set('/\\:\0\n"<>|?*')
    ):
        raise UsageError(f"a report's name must be a plain file name, not {stem[:80]!r}")
