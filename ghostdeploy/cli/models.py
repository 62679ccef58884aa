"""``ghostdeploy models``."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import click

from ghostdeploy.cli.options.arguments import json_flag, pass_arguments
from ghostdeploy.cli.terminal import emit_json


@dataclass(frozen=True)
class ModelsArguments:
    """The arguments of ``ghostdeploy models``."""

    as_json: bool = json_flag()


@click.command()
@pass_arguments(ModelsArguments)
def models(arguments: ModelsArguments) -> None:
    """List the models of the zoo, and what the paper says of each.

    It tells parameters, MACs, and the paper's accuracy and latency.
    """
    from ghostdeploy.commands.models import list_models
    from ghostdeploy.report.parts.columns import align_columns

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
    header = ("model", "params M", "MACs M", "paper top-1 %", "paper P30 ms", "source")
    for line in align_columns(header, lines):
        click.echo(line)
    click.echo("\nThe paper's figures: its trained weights, its phone (Kirin 980 CPU, TFLite).")
