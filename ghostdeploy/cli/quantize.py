"""``ghostdeploy quantize``, and what it and ``export`` tell about a quantized file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.options import (
    calibration_options,
    export_request,
    model_options,
    quantize_options,
    spec_defaults,
)
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, with_progress

if TYPE_CHECKING:
    from ghostdeploy.schema import FloatCost, Quantization

SHOWN = 3


@click.command()
@click.argument("target", metavar="FILE|MODEL")
@model_options
@calibration_options
@click.option("--precision", default="int8", show_default=True, help="Of the calibrated ones.")
@click.option("--out", type=Path, help="The file, or for a MODEL the folder, to write.")
@click.option("--force", is_flag=True, help="Quantize again what is there already.")
@click.option("--report", type=Path, help="Write every layer's SNR there: .png, .csv or .json.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def quantize(target: str, as_json: bool, **o: Any) -> None:
    """Make an int8 file of a float FILE or of MODEL, and tell what that cost."""
    from ghostdeploy.commands.export import export
    from ghostdeploy.commands.quantize.file import QuantizeRequest, quantize_file
    from ghostdeploy.commands.quantize.layer_report import (
        check_layer_report,
        write_layer_report,
    )
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.quantize import calibrated_recipe

    wanted = calibrated_recipe(o["precision"])
    if o["report"]:
        check_layer_report(o["report"], o["precision"])
    source = parse_target(target, spec_defaults(o))
    options = quantize_options(o)
    if isinstance(source, Path):
        request = QuantizeRequest(source, o["precision"], options, o["out"])
        artifact = with_progress(lambda p: quantize_file(request, p))
    else:
        o["out"] = o["out"] or Path("models")
        wanted_export = export_request(o, source, wanted.formats)
        artifact = with_progress(lambda p: export(wanted_export, p))[0].artifact
    assert artifact.quantization is not None
    if o["report"]:
        write_layer_report(artifact, o["report"])
    if as_json:
        return emit_json(artifact)
    click.echo(f"{artifact.path}  {artifact.size_bytes / 1e6:.2f} MB")
    for line in (*quantization_lines(artifact.quantization), *layer_lines(artifact.quantization)):
        click.echo(f"  {line}")


def layer_lines(made: Quantization) -> Iterator[str]:
    """The ten worst layers, what saturates, and the halves whose one scale suits them least."""
    if made.error is None or not made.error.layers:
        return
    yield "  SNR dB  layer"
    for layer in made.error.worst():
        yield f"{layer.snr_db:8.1f}  {layer.name}"
    saturated = sorted(made.error.layers, key=lambda x: -x.saturated)[:SHOWN]
    yield "at the end of their range: " + (
        ", ".join(f"{x.name} {x.saturated:.2%}" for x in saturated if x.saturated > 0) or "none"
    )
    apart = sorted(made.error.concatenations, key=lambda x: min(x.largest) / max(x.largest))
    if apart:  # ONNX lets each half have its own scale
        yield "concatenated halves, largest values: " + ", ".join(
            f"{x.name} {' and '.join(f'{v:.2g}' for v in x.largest)}" for x in apart[:SHOWN]
        )


def quantization_lines(made: Quantization) -> Iterator[str]:
    """What a reader must know of a quantized file, the warning first."""
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
        yield cost_line(made.cost)


def cost_line(cost: FloatCost) -> str:
    """What the float layers cost in time, and how sure that is."""
    if not (cost.to_int8 and cost.to_fp32):
        return f"its cost in time was not measured: {cost.why_not}"
    ratios = (f"{r.value:.2f} [{r.lower:.2f}, {r.upper:.2f}]" for r in (cost.to_int8, cost.to_fp32))
    return "takes {} of the all-int8 file's time, {} of fp32's".format(*ratios) + (
        f" ({cost.launches} interleaved launches of each here, noise {cost.noise:.1%})"
    )
