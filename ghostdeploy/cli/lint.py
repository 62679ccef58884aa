"""``ghostdeploy lint``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ghostdeploy.cli.terminal import print_or_write
from ghostdeploy.errors import CheckFailed, UsageError


@click.command()
@click.argument("files", type=Path, nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--verbose", is_flag=True, help="List every finding, not one line a kind.")
@click.option("--budget", type=float, metavar="MB", help="For weights and live activations.")
@click.option("--measure/--no-measure", default=True, help="Ask LiteRT for the partitions.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "sarif", "junit", "html"]),
    default="table",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--html", is_flag=True, help="Draw the graphs by partition into lint.html.")
@click.option("--out", type=Path, help="Write there instead of printing.")
@click.option("--diff", is_flag=True, help="What changed from the first FILE to the second.")
@click.option("--explain", is_flag=True, help="What --fix would change, and why.")
@click.option("--fix", is_flag=True, help="Apply the rewrites that keep the function.")
def lint(files: tuple[Path, ...], **o: Any) -> None:
    """What in each model FILE a phone will dislike, and the module it came from."""
    from ghostdeploy.commands import lint as command

    if o["explain"] or o["fix"]:
        return _fix(files, o)
    format_ = "json" if o["as_json"] else "html" if o["html"] else o["format_"]
    out = o["out"] or (Path("lint.html") if format_ == "html" else None)
    linted = command.lint_files(files, budget_mb=o["budget"], measure=o["measure"])
    if o["diff"]:
        return print_or_write(command.diff_text(linted, format_), out)
    text = command.render(linted, format_, strict=o["strict"], verbose=o["verbose"])
    print_or_write(text, out)
    bad = command.failing(linted, strict=o["strict"])
    if bad:
        raise CheckFailed(f"{bad} finding{'s' if bad > 1 else ''} that must not be")


def _fix(files: Sequence[Path], o: dict[str, Any]) -> None:
    from ghostdeploy.commands import fix as command

    if o["out"] and len(files) > 1:
        raise UsageError("--out takes the result of one FILE; there are several")
    for file in files:
        done = command.fix(command.FixRequest(file, o["out"], dry_run=o["explain"]))
        if not done.rewrites:
            click.echo(f"{file}: nothing to rewrite")
            continue
        click.echo(f"{file}: {'would be' if o['explain'] else ''} rewritten".replace(":  ", ": "))
        for fix in done.rewrites:
            click.echo(f"  {fix.name} ×{fix.count}: {fix.why}")
        if done.path:
            click.echo(f"wrote {done.path} (outputs differ by a relative L2 of {done.rel_l2:.1e})")
