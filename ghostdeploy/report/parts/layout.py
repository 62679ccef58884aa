"""Tables and paragraphs for a terminal, drawn by rich at whatever width there is.

Every text is cleaned and wrapped as ``Text``: nothing in a device's or file's name is markup.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import Grid

PROSE, CELL = 2000, 300  # characters of one text
GAP, INDENT = 2, 2  # columns
LEAST = 20  # columns of a paragraph, whatever stands before it
# Where there is no terminal, nothing is wrapped: a line each is what grep and diff want.
UNWRAPPED = 1_000_000
HEADER, FAINT, GOOD, CARE, BAD = "bold", "dim", "green", "yellow", "red"
SEVERITIES = {"error": BAD, "warning": CARE, "info": "cyan"}
VERDICTS = {
    "pass": GOOD,
    "improved": GOOD,
    "regressed": BAD,
    "inconclusive": CARE,
    "invalid": CARE,
}
_RULE = box.Box("    \n    \n ── \n    \n    \n    \n    \n    \n")


def safe(text: object, style: str = "", limit: int = PROSE) -> Text:
    """Return one line of text that is shown as it is, whatever stands in it."""
    return Text(clean(text, limit), style)


def join(*parts: Text | str) -> Text:
    """Return the parts one behind the other, each in its own style."""
    return Text.assemble(*parts)


@dataclass(frozen=True)
class Paragraph:
    """A text whose further lines begin below its first line's, not below the ``mark`` before it."""

    mark: Text
    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Wrap it between words."""
        margin = self.mark.cell_len
        if margin > options.max_width - LEAST:  # no room beside it
            yield join(self.mark, self.text)
            return
        first, *more = self.text.wrap(console, options.max_width - margin) or [Text()]
        yield join(self.mark, first)
        for line in more:
            yield join(" " * margin, line)


def hang(mark: Text | str, text: Text, indent: int = 0) -> RenderableType:
    """Return a paragraph behind a mark, ``indent`` columns to the right."""
    return Paragraph(join(" " * indent, mark), text)


def indent(*parts: RenderableType, columns: int = INDENT) -> RenderableType:
    """Return the parts, farther to the right."""
    return Padding(Group(*parts), (0, 0, 0, columns), expand=False)


def separate(blocks: Iterable[Sequence[RenderableType]]) -> Group:
    """Return the blocks that are not empty, an empty line between them."""
    parts: list[RenderableType] = []
    for block in filter(None, blocks):
        parts += [Text(), *block] if parts else block
    return Group(*parts)


@dataclass(frozen=True)
class FittedTable:
    """A table in which no word is broken, and nothing left out.

    Columns are as wide as their texts where there is room, else they are wrapped, the widest
    first; those in ``numeric`` stand right and keep to one line, but for limits in brackets, which
    may go below their value. Where all that is not enough, it is a list of the rows instead.
    ``styles`` are by column.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    numeric: frozenset[int] = frozenset()
    styles: dict[int, str] = field(default_factory=dict)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as a table, or as a list where it is too wide."""
        stacked = replace(self, rows=tuple(map(self._stack, self.rows)))
        for table, gap in ((self, GAP), (stacked, GAP), (stacked, 1)):
            widths = table._fit(options.max_width - gap * (len(self.header) - 1))
            if widths:
                yield table._draw(console, widths, gap)
                return
        yield from self._list()

    def _fit(self, room: int) -> list[int]:
        columns = list(zip(map(Text, self.header), *self.rows, strict=True))
        natural = [max(map(longest_line, column)) for column in columns]
        least = [max(self._least(cell, n) for cell in cells) for n, cells in enumerate(columns)]
        return fit_widths(natural, least, room)

    def _least(self, cell: Text, column: int) -> int:
        """Return how narrow a column may be that has this cell."""
        if column in self.numeric:
            return longest_line(cell)
        return min(longest_line(cell), longest_word(cell) + INDENT * (column == 0))

    def _draw(self, console: Console, widths: Sequence[int], gap: int) -> Table:
        table = Table(box=_RULE, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
        for number, (name, width) in enumerate(zip(self.header, widths, strict=True)):
            right = number in self.numeric
            table.add_column(
                Text(name, HEADER),
                width=width,
                justify="right" if right else "left",
                style=self.styles.get(number, ""),
                no_wrap=right,
            )
        for first, *cells in self.rows:
            table.add_row(_hanging(console, first, widths[0]), *cells)
        return table

    def _stack(self, row: tuple[Text, ...]) -> tuple[Text, ...]:
        """Put the limits of ``1.56 [1.50, 1.62]`` below their value."""
        return tuple(
            Text(cell.plain.replace(" [", "\n["), cell.style) if n in self.numeric else cell
            for n, cell in enumerate(row)
        )

    def _list(self) -> Iterator[RenderableType]:
        for first, *cells in self.rows:
            yield first
            for name, cell in zip(self.header[1:], cells, strict=True):
                yield hang(f"{' ' * INDENT}{' '.join(name.split())}: ", cell)


def _hanging(console: Console, cell: Text, width: int) -> Text:
    """Wrap a row's name so that its further lines do not look like other rows."""
    if longest_line(cell) <= width:
        return cell
    return Text("\n" + " " * INDENT).join(cell.wrap(console, width - INDENT))


def longest_line(cell: Text) -> int:
    """Return the columns of the widest line of a cell."""
    return max((line.cell_len for line in cell.split(allow_blank=True)), default=0)


def longest_word(cell: Text) -> int:
    """Return the columns of the widest word of a cell."""
    return max((Text(word).cell_len for word in cell.plain.split()), default=0)


def fit_widths(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns that need ``natural`` and at ``least`` so much; [] for none.

    The widest gives way first.
    """
    if sum(least) > room:
        return []
    widths = list(natural)
    while sum(widths) > room:
        may = [n for n in range(len(widths)) if widths[n] > least[n]]
        widths[max(may, key=lambda n: widths[n])] -= 1
    return widths


def lay_out(
    header: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    numeric: Iterable[int] = (),
    styles: dict[int, str] | None = None,
) -> FittedTable:
    """Return a table of raw cells; the columns ``numeric`` stand right."""
    cells = tuple(
        tuple(cell if isinstance(cell, Text) else safe(cell, limit=CELL) for cell in row)
        for row in rows
    )
    names = tuple("\n".join(clean(line, CELL) for line in name.split("\n")) for name in header)
    return FittedTable(names, cells, frozenset(numeric), styles or {})


def lay_out_grid(grid: Grid) -> list[RenderableType]:
    """Return a small table's renderable, none where it has no rows."""
    return [lay_out(grid.header, grid.rows, grid.numeric)] if grid.rows else []


def render(part: RenderableType, width: int = UNWRAPPED, *, color: bool = False) -> str:
    """Return what ``part`` looks like in ``width`` columns; escape codes only with ``color``."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        color_system="standard" if color else None,
        no_color=not color,
        force_terminal=color,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(part, end="")
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
