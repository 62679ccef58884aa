"""A small table, format-neutral; its texts are raw: each format cleans and escapes every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ghostdeploy.report.parts.numbers import ABSENT

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A small table; columns whose index is in ``numeric`` are aligned to the right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = field(default=frozenset())


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
    return Grid(header, rows, numeric)


def format_count(value: int | None) -> str:
    """Return a whole number, or the sign of what is absent."""
    return ABSENT if value is None else str(value)


def format_cpus(cpus: Sequence[int]) -> str:
    """Return CPUs as in taskset's lists: 0-3,6."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
