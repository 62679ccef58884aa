"""What the linter found, written for a terminal, for machines, for code hosts and as a picture.

A format is one file with ``render(linted) -> str`` and one row of ``FORMATS``. Some take an
option of their own beside: ``table`` ``verbose``, ``junit`` ``strict``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ghostdeploy.errors import UsageError
from ghostdeploy.report.lint import jsonfile, junit, sarif, table
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.picture import page


class LintFormat(Protocol):
    """A module that writes linted files in one format."""

    def render(self, linted: Sequence[Linted]) -> str:
        """Return the text of all files."""


FORMATS: dict[str, LintFormat] = {
    "table": table,
    "json": jsonfile,
    "sarif": sarif,
    "junit": junit,
    "html": page,
}


def render(linted: Sequence[Linted], format_name: str) -> str:
    """Return ``linted`` in one format, unwritten.

    Raises UsageError for an unknown format and MissingExtraError where Jinja2 is absent.
    """
    if format_name not in FORMATS:
        raise UsageError(f"unknown lint format {format_name!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[format_name].render(linted)
