"""``ghostdeploy eval``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    folder,
    group,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.completions import complete_targets
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.cli.options.pixels import PixelArguments
from ghostdeploy.cli.options.thresholds import ThresholdArguments, enforce
from ghostdeploy.cli.terminal import emit_json, progress_line, show
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import EvalRequest, Evaluation, Paired
    from ghostdeploy.schema import Interval


@dataclass(frozen=True)
class EvalArguments:
    """The arguments of ``ghostdeploy eval``."""

    targets: tuple[str, ...] = argument(
        metavar="FILE|MODEL...", nargs=-1, required=True, shell_complete=complete_targets
    )
    data: Path = option(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="Folder that holds a folder of images for each class.",
    )
    against: str | None = option(
        "--against",
        shell_complete=complete_targets,
        metavar="FILE|MODEL",
        help="Compare with this one, image by image.",
    )
    labels: Path | None = option(
        "--labels",
        type=Path,
        metavar="FILE",
        help="Names of the classes (the folders' names), one a line, in the model's order.",
    )
    truth: Path | None = option(
        "--truth",
        type=Path,
        metavar="FILE",
        help="The images' classes where they all lie in one folder: NAME CLASS on each line, or"
        " CLASS only.",
    )
    limit: int = option(
        "--limit",
        default=0,
        help="Judge only so many images, evenly spread; all of them by default.",
    )
    crop: float = option(
        "--crop",
        default=0.875,
        show_default=True,
        help="Share of the resized image's sides that the centre crop keeps.",
    )
    per_class: bool = option(
        "--per-class", is_flag=True, help="Also tell the accuracy of every class."
    )
    records: Path = folder("--records", "reports", "Folder that keeps what was computed.")
    network: NetworkArguments = group(NetworkArguments)
    pixels: PixelArguments = group(PixelArguments)
    limits: ThresholdArguments = group(ThresholdArguments)
    as_json: bool = json_flag()

    def request(self) -> EvalRequest:
        """Return the request, with all classifiers and images looked up.

        Raises UsageError and InputFileError for what is not there or does not fit together.
        """
        from ghostdeploy.commands.class_names import read_class_names
        from ghostdeploy.commands.eval import EvalRequest, open_classifier
        from ghostdeploy.commands.targets import parse_target
        from ghostdeploy.images.labelled import read_labelled

        if self.limits.thresholds.given and not self.against:
            raise UsageError("limits are held against another model: name it with --against")
        network = self.network
        defaults = network.defaults_for(self.pixels.normalization)
        names = [*([self.against] if self.against else []), *self.targets]
        classifiers = tuple(
            open_classifier(
                parse_target(name, defaults),
                self.crop,
                network.checkpoint,
                network.seed,
                self.pixels.normalization,
            )
            for name in dict.fromkeys(names)
        )
        classes = read_class_names(self.labels) if self.labels else ()
        data = read_labelled(self.data, classes, self.truth)
        base = classifiers[0].name if self.against else ""
        return EvalRequest(classifiers, data, self.records, base, self.limit)


@command("eval")
@pass_arguments(EvalArguments)
def evaluate(arguments: EvalArguments) -> None:
    """Measure the accuracy of models on labelled images.

    It is top-1 and top-5, of each FILE, or of MODEL in torch. What was computed is kept in
    --records; the same command goes on after an interruption.
    """
    from ghostdeploy.commands.eval import evaluate as evaluate_all
    from ghostdeploy.commands.losses import losses_of_pair
    from ghostdeploy.decision.thresholds import judge_losses

    request = arguments.request()
    with progress_line() as progress:
        found = evaluate_all(request, progress)
    limits = arguments.limits.thresholds
    verdicts = {pair.name: judge_losses(limits, losses_of_pair(pair)) for pair in found.paired}
    if arguments.as_json:
        emit_json(vars(found) | ({"verdicts": verdicts} if limits.given else {}))
    else:
        _tell(found, arguments.per_class)
    enforce(verdicts)


def _tell(found: Evaluation, per_class: bool) -> None:
    from ghostdeploy.report.parts.layout import hang, lay_out, safe

    rows = [(a.name, _percent(a.top1), _percent(a.top5), str(a.images)) for a in found.accuracies]
    show(lay_out(("model", "top-1 (%)", "top-5 (%)", "images"), rows, (1, 2, 3)))
    for pair in found.paired:
        low, high = 100 * pair.difference.lower, 100 * pair.difference.upper
        said = (
            f"{100 * pair.difference.value:+.2f} points"
            f" [{low:+.2f}, {high:+.2f}]; {pair.only_base} images only the latter has right,"
            f" {pair.only_this} only the former (McNemar exact p = {pair.p_value:.2g});"
            f" they agree on {pair.agreement:.1%}{_outputs(pair)}"
        )
        show(hang("", safe(f"{pair.name} against {pair.base}: {said}")))
    if found.skipped:
        show(safe(found.skipped))
    if per_class:
        shares = (
            (name, *("{}/{}".format(*a.per_class[number]) for a in found.accuracies))
            for number, name in enumerate(found.classes)
        )
        header = ("class", *(one.name for one in found.accuracies))
        show("", lay_out(header, shares, range(1, len(header))))


def _outputs(pair: Paired) -> str:
    """Tell what the outputs say; one that never changes agrees by chance."""
    if pair.constant:
        names = " and ".join(pair.constant)
        return f", which proves nothing: {names} gives the same output for every image"
    return "" if pair.snr_db is None else f", SNR {pair.snr_db:.1f} dB"


def _percent(share: Interval) -> str:
    return f"{100 * share.value:.2f} [{100 * share.lower:.2f}, {100 * share.upper:.2f}]"
