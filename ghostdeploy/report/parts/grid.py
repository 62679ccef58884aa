"""A small table, format-neutral; its texts are raw: each format cleans and escapes every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.numbers import ABSENT, WrittenNumber

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A small table.

    Columns whose index is in ``numeric`` are aligned to the right. The last ``sums`` rows add
    up those above: where a table is sorted, they stay where they are.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = field(default=frozenset())
    sums: int = 0


def drop_empty_columns(grid: Grid) -> Grid:
    """Leave out the columns, but the first, in which nothing is known."""
    keep = [
        column
        for column in range(len(grid.header))
        if column == 0 or any(row[column] != ABSENT for row in grid.rows)
    ]
    header = tuple(grid.header[column] for column in keep)
    rows = tuple(tuple(row[column] for column in keep) for row in grid.rows)
    numeric = frozenset(new for new, old in enumerate(keep) if old in grid.numeric)
    return Grid(header, rows, numeric, grid.sums)


def clean_grid(grid: Grid, limit: int) -> Grid:
    """Return the table with texts that a page can show; numbers keep what is behind them."""

    def shown(cell: str) -> str:
        return cell if isinstance(cell, WrittenNumber) else clean(cell, limit)

    rows = tuple(tuple(map(shown, row)) for row in grid.rows)
    return Grid(tuple(map(clean, grid.header)), rows, grid.numeric, grid.sums)


def format_count(value: int | None) -> str:
    """Return a whole number, or the sign of what is absent."""
    return ABSENT if value is None else WrittenNumber(str(value), value)


def format_share(count: int, total: int) -> str:
    """Return ``9 of 10``, which sorts by the 9."""
    return WrittenNumber(f"{count} of {total}", count)


def format_cpus(cpus: Sequence[int]) -> str:
    """Return CPUs as in taskset's lists: 0-3,6."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
