"""``ghostdeploy models``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import command, json_flag, option, pass_arguments
from ghostdeploy.cli.options.completions import complete_tables
from ghostdeploy.cli.terminal import emit_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ghostdeploy.commands.models import ModelRow, TableRow

NOTE = "The paper's figures: its trained weights, its phone (Kirin 980 CPU, TFLite)."


@dataclass(frozen=True)
class ModelsArguments:
    """The arguments of ``ghostdeploy models``."""

    table: str | None = option(
        "--table",
        metavar="N",
        default=None,
        shell_complete=complete_tables,
        help="Only the networks of this table of the paper, 1 to 10 or A1 to A3, in its order;"
        " also those that are not in the zoo, with the reason.",
    )
    as_json: bool = json_flag()


@command()
@pass_arguments(ModelsArguments)
def models(arguments: ModelsArguments) -> None:
    """List the models of the zoo, and what the paper says of each.

    It tells parameters, MACs, and the paper's accuracy and latency.
    """
    from ghostdeploy.commands.models import list_models, list_table

    if arguments.table is None:
        rows = list_models()
        return emit_json([asdict(row) for row in rows]) if arguments.as_json else _show(rows)
    found = list_table(arguments.table)
    if arguments.as_json:
        return emit_json([asdict(row) for row in found])
    return _show_table(found)


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _show(rows: Iterable[ModelRow]) -> None:
    """Print the zoo, an empty line between the families."""
    from ghostdeploy.report.parts.layout import FAINT, lay_out, safe

    lines: list[tuple[str, ...]] = []
    family = ""
    for row in rows:
        if family not in ("", row.family):
            lines.append(("",) * 6)
        family = row.family
        lines.append(
            (
                row.name,
                f"{row.params / 1e6:.2f}",
                f"{row.macs / 1e6:.1f}",
                _number(row.paper.top1),
                _number(row.paper.latency_ms),
                row.paper.source,
            )
        )
    header = ("model", "params\nM", "MACs\nM", "paper\ntop-1 %", "paper\nP30 ms", "source")
    show(lay_out(header, lines, (1, 2, 3, 4)), "", safe(NOTE, FAINT))


def _show_table(rows: list[TableRow]) -> None:
    """Print one table of the paper; below it what the rows' notes say, each once."""
    from ghostdeploy.report.parts.layout import FAINT, hang, lay_out, safe

    columns: list[tuple[str, list[str]]] = [
        ("paper's row", [row.row for row in rows]),
        ("model", [row.model or "–" for row in rows]),
        ("params\nM", [_number(row.params and row.params / 1e6, 2) for row in rows]),
        ("MACs\nM", [_number(row.macs and row.macs / 1e6) for row in rows]),
        ("paper\nparams", [f"{row.paper.params_m or '–'}" for row in rows]),
        ("paper\nMACs", [_number(row.paper.macs_m, 0) for row in rows]),
        ("paper\ntop-1 %", [_number(row.paper.top1) for row in rows]),
        ("paper\nP30 ms", [_number(row.paper.latency_ms) for row in rows]),
    ]
    told = [(name, cells) for name, cells in columns if set(cells) != {"–"}]
    lines = list(zip(*(cells for _, cells in told), strict=True))
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.why:
            reasons.setdefault(row.why, []).append(row.row)
    notes: list[RenderableType] = [
        hang("", safe(f"{', '.join(dict.fromkeys(names))}: {why}."))
        for why, names in reasons.items()
    ]
    table = lay_out([name for name, _ in told], lines, range(2, len(told)))
    show(table, "", *notes, *([""] if notes else []), safe(NOTE, FAINT))
