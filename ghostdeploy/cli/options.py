"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghostdeploy.errors import UsageError
from ghostdeploy.types import BenchParams, ExportOptions

if TYPE_CHECKING:
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.targets import SpecDefaults
    from ghostdeploy.types import ModelSpec

F = TypeVar("F", bound=Callable[..., Any])


def model_options(command: F) -> F:
    """Which network: ``--width`` … ``--seed``."""
    for option in (
        click.option("--seed", default=0, show_default=True, help="Of the seeded weights."),
        click.option("--weights", type=Path, help="A checkpoint: .pth, .pth.tar or .safetensors."),
        click.option("--num-classes", default=1000, show_default=True),
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="NAME=VALUE",
            help="Change an option of the variant, e.g. kernel=9,7,5 or scale_where=after.",
        ),
        click.option("--variant", default="official", show_default=True, help="Or paper."),
        click.option("--resolution", default="224", show_default=True, help="Or HEIGHTxWIDTH."),
        click.option("--width", default=1.0, show_default=True, help="Channel multiplier."),
    ):
        command = option(command)
    return command


def export_options(command: F) -> F:
    """How it is exported, for every command that exports."""
    for option in (
        click.option("--force", is_flag=True, help="Export again what is there already."),
        click.option(
            "--out",
            type=Path,
            default=Path("models"),
            show_default=True,
            help="Folder of the model files.",
        ),
        click.option(
            "--opt", "opt", multiple=True, metavar="NAME", help="Apply a rewrite after all."
        ),
        click.option(
            "--no-opt",
            "no_opt",
            multiple=True,
            metavar="NAME",
            help="Leave out a rewrite of the TFLite graph, or all; docs/lowering.md lists them.",
        ),
        click.option("--precision", default="fp32", show_default=True, help="fp32 or fp16."),
    ):
        command = option(command)
    return command


def bench_options(command: F) -> F:
    """How it is measured."""
    for option in (
        click.option(
            "--records",
            type=Path,
            default=Path("reports"),
            show_default=True,
            help="Folder of the records and reports.",
        ),
        click.option(
            "--max-disturbance",
            default=0.25,
            show_default=True,
            help="Share of its cores' time that others may take in a launch that counts.",
        ),
        click.option("--timeout", default=300.0, show_default=True, help="Seconds for one launch."),
        click.option(
            "--benchmark-model", default="", metavar="PATH", help="TFLite's own benchmark program."
        ),
        click.option("--no-xnnpack", "xnnpack", flag_value="off", help="As --xnnpack off."),
        click.option(
            "--xnnpack",
            type=click.Choice(("on", "off", "fp16")),
            default="on",
            show_default=True,
            help="fp16: in half-precision arithmetic (qemu: devices).",
        ),
        click.option(
            "--runtime",
            default="litert",
            show_default=True,
            help="litert, tflite-runtime or onnxruntime.",
        ),
        click.option("--cpus", default="", help="Cores to run on, e.g. 3 or 2,3; ours by default."),
        click.option("--warmup", default=10, show_default=True, help="Runs before the timed ones."),
        click.option("--runs", default=50, show_default=True, help="Timed runs of a launch."),
        click.option("--launches", default=10, show_default=True, help="Processes a model."),
        click.option("--threads", default=1, show_default=True),
        click.option("--device", default="local", show_default=True),
    ):
        command = option(command)
    return command


def spec_defaults(o: dict[str, Any]) -> SpecDefaults:
    from ghostdeploy import zoo
    from ghostdeploy.commands.targets import SpecDefaults, parse_resolution

    return SpecDefaults(
        width=o["width"],
        resolution=parse_resolution(o["resolution"]),
        variant=o["variant"],
        changes=dict(zoo.parse_change(text) for text in o["changes"]),
        num_classes=o["num_classes"],
    )


def export_request(
    o: dict[str, Any],
    spec: ModelSpec,
    formats: tuple[str, ...],
    export: ExportOptions | None = None,
) -> ExportRequest:
    from dataclasses import replace

    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.export.rewrites import left_out

    without = left_out(o["opt"], o["no_opt"])
    return ExportRequest(
        spec=spec,
        formats=formats,
        precision=o["precision"],
        weights=o["weights"],
        seed=o["seed"],
        export=replace(export or ExportOptions(), without=without),
        out=o["out"],
        force=o["force"],
    )


def bench_params(o: dict[str, Any]) -> BenchParams:
    try:
        cpus = tuple(int(c) for c in o["cpus"].split(",")) if o["cpus"] else ()
    except ValueError as error:
        raise UsageError(f"--cpus takes core numbers such as 2,3, not {o['cpus']!r}") from error
    return BenchParams(
        threads=o["threads"],
        runs=o["runs"],
        warmup=o["warmup"],
        launches=o["launches"],
        runtime="benchmark_model" if o["benchmark_model"] else o["runtime"],
        xnnpack=o["xnnpack"] != "off",
        fp16_arithmetic=o["xnnpack"] == "fp16",
        cpus=cpus,
        benchmark_model=o["benchmark_model"],
        timeout_s=o["timeout"],
        max_disturbance=o["max_disturbance"],
    )
