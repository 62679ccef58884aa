"""Markdown as GitHub reads it: escaped text, fenced commands, tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Grid

PARAGRAPH, CELL, COMMAND = 1000, 300, 2000  # characters
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#])")


def escape(text: object, limit: int = PARAGRAPH) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no mention of a GitHub user."""
    plain = clean(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _SPECIAL.sub(r"\\\1", plain)
    plain = re.sub(r"^([-+]|\d+[.)])(?=\s)", r"\\\1", plain)
    return re.sub(r"@(?=\w)", "@\u200b", plain)


def fence(text: str, language: str = "") -> str:
    """Return a fenced block whose fence is longer than any run of backticks inside."""
    line = clean(text, COMMAND)
    longest = max(map(len, re.findall(r"`+", line)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{line}\n{marks}"


def write_grid(grid: Grid) -> str:
    """Return a table with every cell escaped; "" for one without rows."""
    if not grid.rows:
        return ""
    cells = [[escape(cell, CELL) for cell in row] for row in grid.rows]
    return write_table(tuple(map(escape, grid.header)), cells, grid.numeric)


def write_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]
) -> str:
    """Return a table of cells that are Markdown already; the ``numeric`` columns stand right."""
    rule = ["--:" if column in numeric else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
