"""Read the op profile: the Run Order tables that --enable_op_profiling adds after the latencies.

A section (initialization, regular runs) holds three tables for each graph: Run Order, Top by
Computation Time, Summary by node type. The first has every row; the others only repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from android_bench.errors import IncompleteLogError, ParseError
from android_bench.log.lines import (
    LogLine,
    quote,
    quote_last,
    quote_line,
    to_amount,
    to_count,
    to_number,
)

_INIT = "Profiling Info for Benchmark Initialization:"
_RUNS = "Operator-wise Profiling Info"
_RULE = "=" * 30
_EXECUTED = "Number of nodes executed: "
_OBSERVED = " nodes observed"
_NEEDED = ("avg ms", "times called")
_MAX_TABLES = 1000  # one for each subgraph


@dataclass(frozen=True)
class OpProfileRow:
    """A row of a Run Order table holds one kind of call.

    ``avg_ms`` and ``first_ms`` are milliseconds a call, ``times_called`` calls an inference:
    rows of one name are one row, so that the order is not that of execution. ``percent`` is the
    share of the table's time (None where that was 0), ``mem_kb`` 10³ bytes. ``start_ms`` is
    printed by older builds only. ``scope`` is "" for the main graph, else the subgraph or
    delegate, as the program titles it.
    """

    node_type: str
    name: str
    avg_ms: float
    times_called: int
    first_ms: float | None = None
    start_ms: float | None = None
    percent: float | None = None
    mem_kb: float | None = None
    scope: str = ""


@dataclass(frozen=True)
class OpProfile:
    """A profile holds the rows of the initialization and of the regular runs."""

    init: tuple[OpProfileRow, ...] = ()
    runs: tuple[OpProfileRow, ...] = ()


@dataclass(frozen=True)
class _Table:
    scope: str
    header: LogLine
    rows: tuple[LogLine, ...]
    executed: int | None


def parse_profile(lines: Sequence[LogLine]) -> OpProfile:
    """Read both sections, as text or CSV; empty where profiling was off or went to a file.

    Raises IncompleteLogError for a section without its end, ParseError for a row that does not
    fit its header and for a table that lacks rows.
    """
    marks = [i for i, line in enumerate(lines) if line.text.startswith((_INIT, _RUNS))]
    if not marks:
        return OpProfile(runs=tuple(_section(lines)))  # builds until 2019 print no banner
    init: list[OpProfileRow] = []
    runs: list[OpProfileRow] = []
    for start, end in zip(marks, [*marks, len(lines)][1:], strict=True):
        rows = init if lines[start].text.startswith(_INIT) else runs
        if rows:
            raise ParseError(
                "a second profile: the log is of two launches", quote_line(lines[start])
            )
        rows += _section(lines[start + 1 : end])
    return OpProfile(tuple(init), tuple(runs))


def _section(lines: Sequence[LogLine]) -> list[OpProfileRow]:
    titles = [i for i, line in enumerate(lines) if _is_title(line, "Run Order")]
    if len(titles) > _MAX_TABLES:
        raise ParseError(f"the op profile has more than {_MAX_TABLES} tables")
    rows = [row for table in _tables(lines) for row in _rows(table)]
    if titles and not any(line.text.endswith(_OBSERVED) for line in lines[titles[-1] :]):
        raise IncompleteLogError("the op profile stops before its end, after", quote_last(lines))
    return rows


def _tables(lines: Sequence[LogLine]) -> Iterator[_Table]:
    scope = ""
    for i, line in enumerate(lines):
        scope = _scope(line.text, scope)
        if _is_title(line, "Run Order"):
            body = _body(lines[i + 1 :])
            if not body:
                raise IncompleteLogError("the op profile stops at", quote_line(line))
            yield _Table(scope, body[0], tuple(body[1:]), _executed(lines[i + 1 :]))


def _scope(text: str, before: str) -> str:
    if text.startswith("Primary graph (") and text.endswith(" profile:"):
        return ""
    if text.startswith("Subgraph (") and text.endswith(" profile:"):
        return text[: -len(" profile:")]
    return "Delegate internal" if text.strip() == "Delegate internal:" else before


def _is_title(line: LogLine, title: str) -> bool:
    return line.text.startswith(_RULE) and title in line.text


def _body(lines: Sequence[LogLine]) -> list[LogLine]:
    body: list[LogLine] = []
    for line in lines:
        if not line.text.strip():
            return body
        if not line.level:  # the runtime's own messages may come between
            body.append(line)
    raise IncompleteLogError(
        "the op profile stops within a table", quote_last(lines) if lines else ""
    )


def _executed(lines: Sequence[LogLine]) -> int | None:
    for line in lines:
        if line.text.startswith(_EXECUTED):
            return to_count(line.text[len(_EXECUTED) :].strip(), line)
        if _is_title(line, "Run Order"):
            return None
    return None


def _rows(table: _Table) -> Iterator[OpProfileRow]:
    if table.executed is not None and table.executed != len(table.rows):
        raise ParseError(
            f"the table has {len(table.rows)} rows, the program says {table.executed}",
            quote_line(table.header),
        )
    tabs = table.header.text.startswith("\t")
    header = _tab_cells(table.header) if tabs else table.header.text.split(", ")
    columns = [_column(cell) for cell in header]
    _check_columns(columns, table.header)
    for line in table.rows:
        cells = _tab_cells(line) if tabs else _csv_cells(line, len(columns))
        if len(cells) != len(columns):
            raise ParseError(f"{len(cells)} cells under {len(columns)} titles", quote_line(line))
        yield _row(dict(zip(columns, cells, strict=True)), table.scope, line)


def _column(cell: str) -> str:
    return cell.strip().strip("[]").lower().replace("_", " ")


def _check_columns(columns: list[str], header: LogLine) -> None:
    named = columns[0] == "node type" and columns[-1] == "name"
    if not named or any(column not in columns for column in _NEEDED):
        raise ParseError("the table's titles are not understood", quote_line(header))


def _tab_cells(line: LogLine) -> list[str]:
    return [cell.strip() for cell in line.text.removeprefix("\t").split("\t")]


def _csv_cells(line: LogLine, columns: int) -> list[str]:
    """Split at the only place where enough numbers are in a row: node types hold commas, too."""
    parts = line.text.split(", ")
    width = columns - 2
    starts = [
        i
        for i in range(1, len(parts) - width)
        if all(_looks_numeric(part) for part in parts[i : i + width])
    ]
    if len(starts) != 1:
        raise ParseError("the row does not fit its titles", quote_line(line))
    at = starts[0]
    name = ", ".join(parts[at + width :]).replace("\t", ",")  # how the program hides commas
    return [", ".join(parts[:at]), *parts[at : at + width], name]


def _looks_numeric(cell: str) -> bool:
    return cell[:1] in tuple("-0123456789n") and cell.strip("-0123456789.e+%na") == ""


def _row(cells: dict[str, str], scope: str, line: LogLine) -> OpProfileRow:
    if not cells["node type"]:
        raise ParseError(f"a row without a node type among {quote(scope)}", quote_line(line))
    return OpProfileRow(
        node_type=cells["node type"],
        name=cells["name"],
        avg_ms=to_amount(cells["avg ms"], line),
        times_called=to_count(cells["times called"], line),
        first_ms=_amount(cells, "first", line),
        start_ms=_amount(cells, "start", line),
        percent=_percent(cells.get("%"), line),
        mem_kb=to_number(cells["mem kb"], line) if "mem kb" in cells else None,
        scope=scope,
    )


def _amount(cells: dict[str, str], column: str, line: LogLine) -> float | None:
    return to_amount(cells[column], line) if column in cells else None


def _percent(cell: str | None, line: LogLine) -> float | None:
    if cell is None or cell in ("nan%", "-nan%"):
        return None
    return to_amount(cell.removesuffix("%"), line)
