"""``ghostdeploy lint``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.options.arguments import argument, command, option, pass_arguments
from ghostdeploy.cli.options.completions import complete_targets
from ghostdeploy.cli.options.random_inputs import random_input_range
from ghostdeploy.cli.terminal import print_or_write, progress_line, say, show
from ghostdeploy.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from ghostdeploy.report.lint.linted import Linted

FORMATS = ("table", "json", "sarif", "junit", "html")


@dataclass(frozen=True)
class LintArguments:
    """The arguments of ``ghostdeploy lint``."""

    names: tuple[str, ...] = argument(
        metavar="FILE|MODEL...", nargs=-1, required=True, shell_complete=complete_targets
    )
    strict: bool = option("--strict", is_flag=True, help="Fail on warnings, too.")
    verbose: bool = option(
        "--verbose", is_flag=True, help="List every finding, instead of one line for each kind."
    )
    budget: float | None = option(
        "--budget",
        type=float,
        metavar="MB",
        help="Memory that weights and live activations may take.",
    )
    measure: bool = option(
        "--measure/--no-measure",
        default=True,
        help="Load TFLite files into LiteRT to count XNNPACK's partitions.",
    )
    format_: str = option(
        "--format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="Format of the findings.",
    )
    as_json: bool = option("--json", is_flag=True, help="Do the same as --format json.")
    html: bool = option(
        "--html", is_flag=True, help="Draw the graphs by partition, into lint.html."
    )
    out: Path | None = option(
        "--out", type=Path, metavar="FILE", help="Write to this file instead of printing."
    )
    diff: bool = option(
        "--diff", is_flag=True, help="Tell what changed from the first FILE to the second."
    )
    model_explorer: Path | None = option(
        "--model-explorer",
        type=Path,
        metavar="FILE",
        help="Also write what was found of each node, for Model Explorer to lay over its graph.",
    )
    explain: bool = option("--explain", is_flag=True, help="Tell what --fix would change, and why.")
    fix: bool = option(
        "--fix", is_flag=True, help="Apply the rewrites that keep the model's function."
    )
    input_range: tuple[float, ...] = random_input_range()

    @property
    def format(self) -> str:
        """The format that was asked for in one way or the other."""
        return "json" if self.as_json else "html" if self.html else self.format_


@command()
@pass_arguments(LintArguments)
def lint(arguments: LintArguments) -> None:
    """Find what in each model FILE a phone will dislike.

    Each finding names the module of the network that it came from. A MODEL is exported to TFLite
    first, into models/, unless it is there already.
    """
    from ghostdeploy.commands import lint as command
    from ghostdeploy.report.lint import difftext, table

    with progress_line() as progress:
        files = command.find_files(arguments.names, progress)
    if arguments.explain or arguments.fix:
        return _fix(arguments, files)
    if arguments.model_explorer and (len(files) > 1 or arguments.diff):
        raise UsageError("--model-explorer takes the nodes of one FILE")
    format_ = arguments.format
    out = arguments.out or (Path("lint.html") if format_ == "html" else None)
    linted = command.lint_files(files, budget_mb=arguments.budget, measure=arguments.measure)
    if arguments.model_explorer:
        _write_node_data(linted[0], arguments.model_explorer)
    drawn = format_ == "table" and out is None
    if arguments.diff and drawn:
        return show(difftext.compose(command.compare_two(linted, format_)))
    if arguments.diff:
        return print_or_write(command.diff_text(linted, format_), out)
    if drawn:
        show(table.compose(linted, verbose=arguments.verbose))
    else:
        text = command.render(linted, format_, strict=arguments.strict, verbose=arguments.verbose)
        print_or_write(text, out)
    bad = command.count_failing(linted, strict=arguments.strict)
    if bad:
        raise CheckFailed(f"{bad} finding{'s' if bad > 1 else ''} that must not be")


def _write_node_data(linted: Linted, path: Path) -> None:
    """Write what Model Explorer shows at each node; the findings alone go to standard output."""
    from ghostdeploy.files import write_atomic
    from ghostdeploy.report.lint.model_explorer import render

    write_atomic(path, render(linted))
    click.echo(f"wrote {path}", err=True)


def _fix(arguments: LintArguments, files: Sequence[Path]) -> None:
    from ghostdeploy.commands.fix import FixRequest, fix
    from ghostdeploy.report.parts.layout import hang, safe

    if arguments.out and len(files) > 1:
        raise UsageError("--out takes the result of one FILE; there are several")
    what = "would be rewritten" if arguments.explain else "rewritten"
    for file in files:
        done = fix(FixRequest(file, arguments.out, arguments.explain, arguments.input_range))
        if not done.rewrites:
            say(f"{file}: nothing to rewrite")
            continue
        say(f"{file}: {what}")
        for rewrite in done.rewrites:
            show(hang(f"  {rewrite.name} ×{rewrite.count}: ", safe(rewrite.why)))
        if done.path:
            differ = f"outputs differ by a relative L2 of {done.rel_l2:.1e}"
            say(f"wrote {done.path} ({differ})")
