"""``ghostdeploy quantize``, and what it and ``export`` tell of a quantized file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    group,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.calibration import CalibrationArguments
from ghostdeploy.cli.options.completions import complete_calibrated, complete_targets
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.cli.options.pixels import PixelArguments
from ghostdeploy.cli.options.thresholds import ThresholdArguments, enforce, labelled_images
from ghostdeploy.cli.terminal import emit_json, progress_line, say, show
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import Classifier
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.quantize.file import QuantizeRequest
    from ghostdeploy.commands.targets import Network
    from ghostdeploy.schema import Artifact, FloatCost, Quantization, QuantizationError

SHOWN = 3


@dataclass(frozen=True)
class QuantizeArguments:
    """The arguments of ``ghostdeploy quantize``."""

    target: str = argument(metavar="FILE|MODEL", shell_complete=complete_targets)
    network: NetworkArguments = group(NetworkArguments)
    calibration: CalibrationArguments = group(CalibrationArguments)
    pixels: PixelArguments = group(PixelArguments)
    precision: str = option(
        "--precision",
        shell_complete=complete_calibrated,
        default="int8",
        show_default=True,
        help="Number format to make: int8, int8-float-io, int16x8 or int8-qdq.",
    )
    out: Path | None = option(
        "--out",
        type=Path,
        metavar="FILE|DIR",
        help="File to write, or the folder that it goes to.",
    )
    force: bool = option(
        "--force", is_flag=True, help="Quantize again even where the same file is there already."
    )
    report: Path | None = option(
        "--report",
        type=Path,
        metavar="FILE",
        help="Write every layer's signal-to-noise ratio to this .png, .csv or .json file.",
    )
    limits: ThresholdArguments = group(ThresholdArguments)
    data: Path | None = labelled_images()
    as_json: bool = json_flag()

    def export_request(self, spec: Network, formats: tuple[str, ...]) -> ExportRequest:
        """Return the request to export a network in the precision.

        Raises UsageError for values that make no sense.
        """
        from ghostdeploy.commands.export import ExportRequest
        from ghostdeploy.schema import ModelSpec

        if self.pixels.normalization and isinstance(spec, ModelSpec):
            raise UsageError("a MODEL's pixels are known: leave out --input-range, --mean, --std")
        return ExportRequest(
            spec=spec,
            formats=formats,
            precision=self.precision,
            weights=self.network.checkpoint,
            seed=self.network.seed,
            out=self.out or Path("models"),
            force=self.force,
            quantize=self.calibration.quantize_options,
        )

    def file_request(self, path: Path) -> QuantizeRequest:
        """Return the request to quantize a file. Raises UsageError for what makes no sense."""
        from ghostdeploy.commands.quantize.file import QuantizeRequest

        options, pixels = self.calibration.quantize_options, self.pixels.normalization
        return QuantizeRequest(path, self.precision, options, self.out, pixels)

    def open_original(self, source: Path | Network) -> Classifier:
        """Return what the quantized file is compared with on labelled images."""
        from ghostdeploy.commands.eval import open_classifier

        network, pixels = self.network, self.pixels.normalization
        crop = self.calibration.crop
        return open_classifier(source, crop, network.checkpoint, network.seed, pixels)


@command()
@pass_arguments(QuantizeArguments)
def quantize(arguments: QuantizeArguments) -> None:
    """Make an int8 file of a float FILE or of MODEL.

    It also tells what that cost in accuracy.
    """
    from ghostdeploy.commands.extras import require_packages

    onnx = Path(arguments.target).suffix == ".onnx"
    runtime = ("onnx", "onnxruntime") if onnx else ("tensorflow", "ai_edge_litert")
    require_packages("numpy", *runtime)
    from ghostdeploy.commands.export import export
    from ghostdeploy.commands.losses import losses_of, with_top1
    from ghostdeploy.commands.quantize.file import quantize_file
    from ghostdeploy.commands.quantize.layer_report import check_layer_report, write_layer_report
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.decision.thresholds import judge_losses
    from ghostdeploy.images.labelled import read_labelled
    from ghostdeploy.quantization import calibrated_recipe

    precision = arguments.precision
    wanted = calibrated_recipe(precision)
    limits = arguments.limits.checked(arguments.data)
    if arguments.report:
        check_layer_report(arguments.report, precision)
    defaults = arguments.network.defaults_for(arguments.pixels.normalization)
    source = parse_target(arguments.target, defaults)
    with progress_line() as progress:
        if isinstance(source, Path):
            artifact = quantize_file(arguments.file_request(source), progress)
        else:
            request = arguments.export_request(source, wanted.formats)
            artifact = export(request, progress)[0].artifact
        if arguments.data:
            original = arguments.open_original(source)
            artifact = with_top1(artifact, original, read_labelled(arguments.data), progress)
    if arguments.report:
        write_layer_report(artifact, arguments.report)
    verdict = judge_losses(limits, losses_of(artifact))
    if arguments.as_json:
        emit_json(vars(artifact) | ({"verdict": verdict} if limits.given else {}))
    else:
        _tell(artifact)
    enforce({artifact.path: verdict})


def _tell(artifact: Artifact) -> None:
    assert artifact.quantization is not None
    say(f"{artifact.path}  {artifact.size_bytes / 1e6:.2f} MB")
    show_quantization(artifact.quantization)
    show_top1(artifact)
    _show_layers(artifact.quantization)


def show_top1(artifact: Artifact) -> None:
    """Print what labelled images say of the file, where there were any."""
    if (top1 := artifact.top1_difference) is None:
        return
    value, low, high = (100 * share for share in (top1.value, top1.lower, top1.upper))
    say(f"  top-1 against the original: {value:+.2f} points [{low:+.2f}, {high:+.2f}]")


def show_quantization(made: Quantization) -> None:
    """Print what a reader must know of a quantized file, the warning in colour."""
    from ghostdeploy.report.parts.layout import CARE, hang, safe

    for line in describe_quantization(made):
        show(hang("  ", safe(line, CARE if line.isupper() or "SYNTHETIC" in line else "")))


def _show_layers(made: Quantization) -> None:
    """Print the ten worst layers, what saturates, and the halves whose one scale fits least."""
    from ghostdeploy.report.parts.layout import hang, indent, lay_out, safe

    if made.error is None or not made.error.layers:
        return
    rows = [(f"{layer.snr_db:.1f}", layer.name) for layer in made.error.worst()]
    show(indent(lay_out(("SNR dB", "layer"), rows, (0,))))
    show(*(hang("  ", safe(line)) for line in _describe_layers(made.error)))


def _describe_layers(error: QuantizationError) -> Iterator[str]:
    saturated = sorted(error.layers, key=lambda x: -x.saturated)[:SHOWN]
    yield "at the end of their range: " + (
        ", ".join(f"{x.name} {x.saturated:.2%}" for x in saturated if x.saturated > 0) or "none"
    )
    apart = sorted(error.concatenations, key=lambda x: min(x.largest) / max(x.largest))
    if apart:  # ONNX lets each half have its own scale
        yield "concatenated halves, largest values: " + ", ".join(
            f"{x.name} {' and '.join(f'{v:.2g}' for v in x.largest)}" for x in apart[:SHOWN]
        )


def describe_quantization(made: Quantization) -> Iterator[str]:
    """Tell what a reader must know of a quantized file, the warning first."""
    from ghostdeploy.commands.losses import describe_constant

    data, error = made.calibration, made.error
    if data.synthetic:
        yield (
            f"CALIBRATED ON {data.size} SYNTHETIC IMAGES: accuracy will suffer; give real ones"
            " with --calibration DIR"
        )
    else:
        skipped = f", skipped {', '.join(data.skipped)}" if data.skipped else ""
        yield f"calibrated on {data.size} images of {data.source} (seed {data.seed}){skipped}"
    if error:
        yield (
            f"against fp32 on {error.inputs} held-out images: SNR {error.snr_db:.1f} dB,"
            f" cosine {error.cosine:.4f}, top-1 agrees {error.top1_agreement:.1%}"
        )
        if nothing := describe_constant(error):
            yield nothing.upper()
        elif error.answers == 1 and error.inputs > 1:
            yield "fp32 has the same best class for all of them: that it agrees proves little"
        worst = ", ".join(f"{x.module or x.name} {x.snr_db:.1f} dB" for x in error.worst(1))
        if worst:
            yield f"worst layer: {worst} (the sidecar has all)"
    if made.kernels is not None:
        whole = made.cost.int8_kernels if made.cost else None
        instead = "" if whole is None else f", {whole} with all in int8"
        yield f"{made.kernels} XNNPACK partition{'' if made.kernels == 1 else 's'}{instead}"
    if made.kept_float:
        yield f"in float: {', '.join(made.kept_float)}"
    if made.cost:
        yield describe_cost(made.cost)


def describe_cost(cost: FloatCost) -> str:
    """Tell what the float layers cost in time, and how sure that is."""
    if not (cost.to_int8 and cost.to_fp32):
        return f"its cost in time was not measured: {cost.why_not}"
    ratios = (f"{r.value:.2f} [{r.lower:.2f}, {r.upper:.2f}]" for r in (cost.to_int8, cost.to_fp32))
    return "takes {} of the all-int8 file's time, {} of fp32's".format(*ratios) + (
        f" ({cost.launches} interleaved launches of each here, noise {cost.noise:.1%})"
    )
