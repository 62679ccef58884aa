"""``ghostdeploy eval``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.options import model_options, spec_defaults
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, with_progress

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import Evaluation


@click.command("eval")
@click.argument("targets", metavar="FILE|MODEL...", nargs=-1, required=True)
@click.option("--data", type=Path, required=True, help="A folder with a folder of images a class.")
@click.option("--against", metavar="FILE|MODEL", help="Compare with this one, image by image.")
@click.option("--labels", type=Path, help="Class names (the folders'), one a line, in order.")
@click.option("--truth", type=Path, help="For a flat folder: NAME CLASS a line, or CLASS only.")
@click.option("--limit", default=0, help="So many images, evenly spread; all by default.")
@click.option("--crop", default=0.875, show_default=True, help="Share kept of the image.")
@click.option("--per-class", is_flag=True, help="The accuracy of every class.")
@click.option("--records", type=Path, default=Path("reports"), show_default=True)
@model_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def evaluate(targets: tuple[str, ...], per_class: bool, as_json: bool, **o: Any) -> None:
    """Top-1 and top-5 accuracy of each FILE, or of MODEL in torch, on labelled images.

    What was computed is kept in --records; the same command goes on after an interruption.
    """
    from ghostdeploy.commands import eval as command
    from ghostdeploy.commands.class_names import read_class_names
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.images import labelled

    names = [*([o["against"]] if o["against"] else []), *targets]
    defaults = spec_defaults(o)
    classifiers = [
        command.open_classifier(parse_target(name, defaults), o["crop"], o["weights"], o["seed"])
        for name in dict.fromkeys(names)
    ]
    classes = read_class_names(o["labels"]) if o["labels"] else ()
    data = labelled.read_labelled(o["data"], classes, o["truth"])
    base = classifiers[0].name if o["against"] else ""
    request = command.EvalRequest(tuple(classifiers), data, o["records"], base, o["limit"])
    found = with_progress(lambda p: command.evaluate(request, p))
    if as_json:
        return emit_json(found)
    _tell(found, per_class)


def _tell(found: Evaluation, per_class: bool) -> None:
    width = max(len(one.name) for one in found.accuracies)
    for one in found.accuracies:
        click.echo(
            f"{one.name:{width}}  top-1 {_percent(one.top1)}  top-5 {_percent(one.top5)}"
            f"  of {one.images} images"
        )
    for pair in found.paired:
        low, high = 100 * pair.difference.lower, 100 * pair.difference.upper
        click.echo(
            f"{pair.name} against {pair.base}: {100 * pair.difference.value:+.2f} points"
            f" [{low:+.2f}, {high:+.2f}]; {pair.only_base} images only the latter has right,"
            f" {pair.only_this} only the former (McNemar exact p = {pair.p_value:.2g});"
            f" they agree on {pair.agreement:.1%}"
        )
    if found.skipped:
        click.echo(found.skipped)
    if per_class:
        for number, name in enumerate(found.classes):
            shares = "  ".join(
                f"{right:5}/{total}"
                for right, total in (a.per_class[number] for a in found.accuracies)
            )
            click.echo(f"{name[:40]:40} {shares}")


def _percent(share: Any) -> str:
    return f"{100 * share.value:.2f} % [{100 * share.lower:.2f}, {100 * share.upper:.2f}]"
