"""``ghostdeploy export`` and ``verify``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ghostdeploy.cli.options import (
    calibration_options,
    export_options,
    export_request,
    model_options,
    spec_defaults,
)
from ghostdeploy.cli.quantize import quantization_lines
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, with_progress
from ghostdeploy.errors import CheckFailed, UsageError
from ghostdeploy.schema import ExportOptions


@click.command()
@click.argument("model", default="ghostnetv2")
@model_options
@click.option("--format", "format_", default="all", show_default=True, help="onnx, tflite or all.")
@export_options
@calibration_options
@click.option("--embed-preprocessing", is_flag=True, help="The model takes RGB of 0 to 255.")
@click.option("--softmax", is_flag=True, help="Probabilities instead of logits.")
@click.option("--features", is_flag=True, help="Feature maps at strides 4 to 32, not logits.")
@click.option("--labels", type=Path, help="Class names, one a line, for the TFLite metadata.")
@click.option("--no-fix", is_flag=True, help="As --no-opt all: the graph as converted, but mended.")
@click.option("--explain", is_flag=True, help="Tell the rewrites and their reasons, and stop.")
@click.option("--report", type=Path, help="Every layer's SNR in int8: a .png, .csv or .json.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def export(
    model: str,
    format_: str,
    labels: Path | None,
    no_fix: bool,
    explain: bool,
    as_json: bool,
    **o: Any,
) -> None:
    """Build MODEL, lower it, prove it equal to the torch network, write it."""
    if no_fix:
        o["no_opt"] = (*o["no_opt"], "all")
    if explain:
        return _explain(o["opt"], o["no_opt"], as_json)
    from ghostdeploy.commands.class_names import read_class_names
    from ghostdeploy.commands.export import export as run_export
    from ghostdeploy.commands.quantize.layer_report import (
        check_layer_report,
        write_layer_report,
    )
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.quantize import recipe

    if o["report"]:
        check_layer_report(o["report"], o["precision"])
    spec = parse_target(model, spec_defaults(o))
    if isinstance(spec, Path):
        raise UsageError(f"export takes a model of the zoo, not the file {spec}")
    options = ExportOptions(
        embed_preprocessing=o["embed_preprocessing"],
        softmax=o["softmax"],
        features=o["features"],
        labels=read_class_names(labels) if labels else (),
    )
    formats = recipe(o["precision"]).formats if format_ == "all" else (format_,)
    results = with_progress(lambda p: run_export(export_request(o, spec, formats, options), p))
    if o["report"]:
        write_layer_report(results[0].artifact, o["report"])
    if as_json:
        return emit_json([asdict(r.artifact) | {"reused": r.reused} for r in results])
    if o["weights"] is None:
        click.echo(f"seeded random weights (seed {o['seed']}); give trained ones with --weights")
    for result in results:
        _describe_export(result.artifact, result.reused)


def _explain(on: tuple[str, ...], off: tuple[str, ...], as_json: bool) -> None:
    from ghostdeploy.export.rewrites import SPEED, choose_form, explain_rewrites

    applied = choose_form(on, off).names
    rows = explain_rewrites()
    if as_json:
        return emit_json([row | {"applied": row["name"] in applied} for row in rows])
    for row in rows:
        how = "for speed alone, with --opt" if row["name"] in SPEED else "left out"
        click.echo(f"{row['name']}{'' if row['name'] in applied else f'  ({how})'}")
        for label in ("what", "why"):
            click.echo(click.wrap_text(row[label], 98, "  ", "  "))


def _describe_export(artifact: Any, reused: bool) -> None:
    proof = artifact.parity[0]
    size = artifact.size_bytes / 1e6
    click.echo(f"{artifact.path}  {size:.2f} MB{'  (there already)' if reused else ''}")
    top1 = "" if proof.top1_agreement is None else f", top-1 agrees {proof.top1_agreement:.0%}"
    before = ", before quantization" if artifact.quantization else ""
    click.echo(
        f"  equal to torch{before} in {proof.runtime}: relative L2 {proof.rel_l2:.1e} over"
        f" {proof.inputs} inputs (tolerance {proof.tolerance_rel_l2:.0e}){top1};"
        f" {proof.layers} inner tensors, worst {proof.worst_layer_rel_l2:.1e}"
    )
    if artifact.rewrites:
        click.echo(f"  rewrites: {', '.join(artifact.rewrites)}")
        if artifact.precision == "fp32" and not artifact.export.speed:
            click.echo("  faster still, without the paper's operators: --opt fast (see --explain)")
    if artifact.quantization:
        for line in quantization_lines(artifact.quantization):
            click.echo(f"  {line}")


@click.command()
@click.argument("file", type=Path)
@click.option("--model", help="Which network FILE is, where it does not say so itself.")
@model_options
@click.option("--precision", default="", help="With --model; the file's own by default.")
@click.option("--layers", is_flag=True, help="Every inner tensor's difference.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def verify(
    file: Path, model: str | None, layers: bool, as_json: bool, precision: str, **o: Any
) -> None:
    """Compare FILE with its torch network again, layer by layer."""
    from ghostdeploy.commands import verify as command
    from ghostdeploy.commands.targets import parse_target

    spec = parse_target(model, spec_defaults(o)) if model else None
    if isinstance(spec, Path):
        raise UsageError("--model takes a model of the zoo, not a file")
    request = command.VerifyRequest(file, o["weights"], spec, precision, o["seed"])
    found = command.verify(request)
    from ghostdeploy.commands.proof import describe_parity

    if as_json:
        emit_json({"parity": asdict(found.parity), "layers": found.layers})
    else:
        if layers:
            for name, error in found.layers.items():
                mark = " " if error <= found.parity.tolerance_layer_rel_l2 else "✗"
                click.echo(f"{mark} {error:8.1e}  {name}")
        text = f"{file}: {describe_parity(found.parity, found.layers)}"
        if found.parity.passed:
            click.echo(text)
    if not found.parity.passed:
        raise CheckFailed(f"{file}: {describe_parity(found.parity, found.layers)}")
