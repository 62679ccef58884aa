"""``ghostdeploy models``."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ghostdeploy.cli.options.arguments import command, json_flag, pass_arguments
from ghostdeploy.cli.terminal import emit_json, show


@dataclass(frozen=True)
class ModelsArguments:
    """The arguments of ``ghostdeploy models``."""

    as_json: bool = json_flag()


@command()
@pass_arguments(ModelsArguments)
def models(arguments: ModelsArguments) -> None:
    """List the models of the zoo, and what the paper says of each.

    It tells parameters, MACs, and the paper's accuracy and latency.
    """
    from ghostdeploy.commands.models import list_models
    from ghostdeploy.report.parts.layout import FAINT, lay_out, safe

    rows = list_models()
    if arguments.as_json:
        return emit_json([asdict(row) for row in rows])

    def number(value: float | None, digits: int = 1) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    lines = [
        (
            row.name,
            f"{row.params / 1e6:.2f}",
            f"{row.macs / 1e6:.1f}",
            number(row.paper.top1),
            number(row.paper.latency_ms),
            row.paper.source,
        )
        for row in rows
    ]
    header = ("model", "params\nM", "MACs\nM", "paper\ntop-1 %", "paper\nP30 ms", "source")
    note = "The paper's figures: its trained weights, its phone (Kirin 980 CPU, TFLite)."
    show(lay_out(header, lines, (1, 2, 3, 4)), "", safe(note, FAINT))
