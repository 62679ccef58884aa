"""``ghostdeploy export``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    group,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.calibration import CalibrationArguments
from ghostdeploy.cli.options.completions import complete_formats, complete_models
from ghostdeploy.cli.options.lowering import LoweringArguments
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.cli.options.pixels import PixelArguments
from ghostdeploy.cli.options.thresholds import ThresholdArguments, enforce, labelled_images
from ghostdeploy.cli.quantize import show_quantization, show_top1
from ghostdeploy.cli.terminal import emit_json, progress_line, say, show
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.export import ExportRequest, ExportResult
    from ghostdeploy.decision.thresholds import ThresholdVerdict
    from ghostdeploy.progress import Progress
    from ghostdeploy.schema import Artifact, ForeignSpec


@dataclass(frozen=True)
class ExportArguments:
    """The arguments of ``ghostdeploy export``."""

    model: str = argument(default="ghostnetv2", shell_complete=complete_models)
    network: NetworkArguments = group(NetworkArguments)
    format_: str = option(
        "--format",
        shell_complete=complete_formats,
        default="all",
        show_default=True,
        help="Format of the model file: onnx, tflite, or all that the precision comes as.",
    )
    pixels: PixelArguments = group(PixelArguments)
    lowering: LoweringArguments = group(LoweringArguments)
    calibration: CalibrationArguments = group(CalibrationArguments)
    embed_preprocessing: bool = option(
        "--embed-preprocessing",
        is_flag=True,
        help="Let the model normalize by itself: it takes RGB of 0 to 255.",
    )
    softmax: bool = option("--softmax", is_flag=True, help="Give probabilities instead of logits.")
    features: bool = option(
        "--features",
        is_flag=True,
        help="Give feature maps at strides 4 to 32 instead of logits, for a detector.",
    )
    labels: Path | None = option(
        "--labels",
        type=Path,
        metavar="FILE",
        help="Names of the classes, one a line, for the TFLite file's metadata.",
    )
    purpose: str | None = option(
        "--for",
        type=click.Choice(["mediapipe"]),
        help="Make the TFLite file that MediaPipe's ImageClassifier loads: it normalizes by itself,"
        " takes floats or, in int8, uint8, and gives probabilities.",
    )
    no_fix: bool = option(
        "--no-fix",
        is_flag=True,
        help="Do the same as --no-opt all: leave the graph as converted, apart from what would be"
        " wrong.",
    )
    explain: bool = option(
        "--explain", is_flag=True, help="Tell the rewrites and their reasons, and export nothing."
    )
    report: Path | None = option(
        "--report",
        type=Path,
        metavar="FILE",
        help="Write every layer's signal-to-noise ratio in int8 to this .png, .csv or .json file.",
    )
    limits: ThresholdArguments = group(ThresholdArguments)
    data: Path | None = labelled_images()
    as_json: bool = json_flag()

    def request(self) -> ExportRequest:
        """Return the request. Raises UsageError for values that make no sense."""
        from ghostdeploy.commands.class_names import read_class_names
        from ghostdeploy.commands.export import mediapipe
        from ghostdeploy.commands.targets import parse_network
        from ghostdeploy.quantization import recipe
        from ghostdeploy.schema import ExportOptions

        defaults = self.network.defaults_for(self.pixels.normalization)
        spec = parse_network(self.model, defaults)
        options = ExportOptions(
            embed_preprocessing=self.embed_preprocessing,
            softmax=self.softmax,
            features=self.features,
            labels=read_class_names(self.labels) if self.labels else (),
        )
        all_formats = recipe(self.lowering.precision).formats
        formats = all_formats if self.format_ == "all" else (self.format_,)
        options = mediapipe.suit_options(options) if self.purpose else options
        request = self.rewriting.request(spec, self.network, formats, self.calibration, options)
        return mediapipe.suit_request(request) if self.purpose else request

    def judge_top1(
        self, request: ExportRequest, made: Sequence[ExportResult], progress: Progress
    ) -> list[ExportResult]:
        """Return the results with each file's top-1 against the torch network's.

        Raises UsageError for images whose classes do not fit.
        """
        from ghostdeploy.commands.eval import open_classifier
        from ghostdeploy.commands.losses import with_top1
        from ghostdeploy.images.labelled import read_labelled
        from ghostdeploy.schema import ForeignSpec

        assert self.data is not None
        assert not isinstance(request.spec, ForeignSpec)
        data = read_labelled(self.data, request.export.labels)
        crop = request.quantize.crop
        original = open_classifier(request.spec, crop, request.weights, request.seed)
        return [
            replace(one, artifact=with_top1(one.artifact, original, data, progress)) for one in made
        ]

    @property
    def rewriting(self) -> LoweringArguments:
        """How the network is lowered, with ``no_fix`` spelled out."""
        if not self.no_fix:
            return self.lowering
        return replace(self.lowering, no_opt=(*self.lowering.no_opt, "all"))


@command()
@pass_arguments(ExportArguments)
def export(arguments: ExportArguments) -> None:
    """Export MODEL to files that are proven equal to it.

    MODEL is one of `ghostdeploy models`, or a network of yours: net.py:function,
    package.module:function, program.pt2, timm:NAME or model.onnx. Every file computes what the
    network computes, tensor by tensor; else it is not written.
    """
    if arguments.explain:
        return _explain(arguments.rewriting, as_json=arguments.as_json)
    from ghostdeploy.commands.export import export as run_export
    from ghostdeploy.commands.losses import losses_of
    from ghostdeploy.commands.quantize.layer_report import check_layer_report, write_layer_report
    from ghostdeploy.decision.thresholds import judge_losses

    if arguments.report:
        check_layer_report(arguments.report, arguments.lowering.precision)
    request, limits = arguments.request(), arguments.limits.checked(arguments.data)
    if request.export.features and (limits.given or arguments.data):
        raise UsageError("feature maps are no answers: leave out the limits and --data")
    with progress_line() as progress:
        results = run_export(request, progress)
        if arguments.data:
            results = arguments.judge_top1(request, results, progress)
    if arguments.report:
        write_layer_report(results[0].artifact, arguments.report)
    verdicts = {r.artifact.path: judge_losses(limits, losses_of(r.artifact)) for r in results}
    if arguments.as_json:
        emit_json([_plain(r, verdicts if limits.given else {}) for r in results])
    else:
        _tell(request, results)
    enforce(verdicts)


def _plain(result: ExportResult, verdicts: Mapping[str, ThresholdVerdict]) -> dict[str, object]:
    verdict = verdicts.get(result.artifact.path)
    told = {} if verdict is None else {"verdict": verdict}
    return vars(result.artifact) | {"reused": result.reused} | told


def _tell(request: ExportRequest, results: Sequence[ExportResult]) -> None:
    from ghostdeploy.schema import ForeignSpec, ModelSpec

    seeded = f"seeded random weights (seed {request.seed})"
    if isinstance(request.spec, ModelSpec) and request.weights is None:
        say(f"{seeded}; give trained ones with --weights")
    for result in results:
        _describe_export(result.artifact, result.reused)
        if isinstance(result.artifact.spec, ForeignSpec):
            _describe_foreign(result.artifact.spec)


def _describe_foreign(spec: ForeignSpec) -> None:
    """Tell what was found out of a network that is not the zoo's."""
    from ghostdeploy.images.normalization import describe_input
    from ghostdeploy.report.parts.layout import hang, safe

    takes = ", ".join(f"{each.name} {each.sides} {each.dtype}" for each in spec.inputs)
    show(hang("  ", safe(f"takes {takes}; gives {', '.join(spec.outputs)}")))
    if spec.takes_image:
        unknown = "unknown; int8 and --embed-preprocessing need it: --mean and --std, or --range"
        told = describe_input(spec.normalization) if spec.normalization else unknown
        show(hang("  pixels: ", safe(told)))
    for note in spec.notes:
        show(hang("  note: ", safe(note)))


def _explain(lowering: LoweringArguments, *, as_json: bool) -> None:
    from ghostdeploy.lowering.rewrites import SPEED, choose_form, explain_rewrites
    from ghostdeploy.report.parts.layout import HEADER, hang, join, safe

    applied = choose_form(lowering.opt, lowering.no_opt).names
    rows = explain_rewrites()
    if as_json:
        return emit_json([row | {"applied": row["name"] in applied} for row in rows])
    for row in rows:
        how = "for speed alone, with --opt" if row["name"] in SPEED else "left out"
        why_not = "" if row["name"] in applied else f"  ({how})"
        show(join(safe(row["name"], HEADER), why_not))
        show(*(hang("  ", safe(row[label])) for label in ("what", "why")))


def _describe_export(artifact: Artifact, reused: bool) -> None:
    from ghostdeploy.commands.export.mediapipe import describe_use
    from ghostdeploy.report.parts.layout import FAINT, hang, safe

    proof = artifact.parity[0]
    size = artifact.size_bytes / 1e6
    say(f"{artifact.path}  {size:.2f} MB{'  (there already)' if reused else ''}")
    top1 = "" if proof.top1_agreement is None else f", top-1 agrees {proof.top1_agreement:.0%}"
    before = ", before quantization" if artifact.quantization else ""
    equal = (
        f"equal to {artifact.truth}{before} in {proof.runtime}: relative L2 {proof.rel_l2:.1e} over"
        f" {proof.inputs} inputs (tolerance {proof.tolerance_rel_l2:.0e}){top1};"
        f" {proof.layers} inner tensors, worst {proof.worst_layer_rel_l2:.1e}"
    )
    show(hang("  ", safe(equal)))
    if artifact.rewrites:
        show(hang("  rewrites: ", safe(", ".join(artifact.rewrites))))
        if artifact.zoo_spec and artifact.precision == "fp32" and not artifact.export.speed:
            faster = "faster still, without the paper's operators: --opt fast (see --explain)"
            show(hang("  ", safe(faster, FAINT)))
    show(hang("  ", safe(describe_use(artifact))))
    if artifact.quantization:
        show_quantization(artifact.quantization)
    show_top1(artifact)
