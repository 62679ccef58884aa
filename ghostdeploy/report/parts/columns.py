"""Plain columns for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ghostdeploy.report.parts.clean_text import display_width, pad


def align_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines, each column as wide as its widest cell; a column of numbers stands right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(display_width, column)) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    lines = [header, *rows]
    return [
        "  ".join(
            " " * (w - display_width(cell)) + cell if r else pad(cell, w)
            for cell, w, r in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _is_number(cell: str) -> bool:
    return cell in ("", "–") or cell.replace(".", "", 1).isdigit()
