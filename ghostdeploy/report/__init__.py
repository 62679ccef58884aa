"""Reports: one comparison written as text, Markdown, JSON, figures and one HTML file.

A format is one file with ``render`` and one row of ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from ghostdeploy.errors import UsageError
from ghostdeploy.files import write_atomic
from ghostdeploy.schema import Comparison

MAX_STEM = 120  # characters; file systems allow 255 bytes with the endings


@dataclass(frozen=True)
class Report:
    """What all formats show. The first comparison is the ratios' base."""

    title: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.comparisons:
            raise UsageError("a report needs at least one benchmark record")


# Each has render(report, stem) -> {file name: content}.
# The light ones first: a missing extra then costs only the formats that need it.
FORMATS: dict[str, str] = {
    "json": "ghostdeploy.report.jsonfile",
    "md": "ghostdeploy.report.markdown",
    "txt": "ghostdeploy.report.table",
    "png": "ghostdeploy.report.plots",
    "html": "ghostdeploy.report.html",
}
DEFAULT_FORMATS = ("json", "md", "png", "html")

Rendered = Mapping[str, str | bytes]


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
        for file_name, content in render(report, stem, name).items():
            write_atomic(out_dir / file_name, content)
            written.append(out_dir / file_name)
    return written


def render(report: Report, stem: str, format_name: str) -> Rendered:
    """One format's files, by name, unwritten."""
    module = import_module(FORMATS[format_name])
    return cast(Callable[[Report, str], Rendered], module.render)(report, stem)


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
