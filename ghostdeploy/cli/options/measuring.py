"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghostdeploy.schema import BenchParams, ExportOptions, PhoneParams

if TYPE_CHECKING:
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.targets import SpecDefaults
    from ghostdeploy.quantize import QuantizeOptions
    from ghostdeploy.runners import Access
    from ghostdeploy.schema import ModelSpec

PHONE_SCHEMES = ("adb", "fake")
PRECISIONS = "fp32, fp16, dynamic, int8, int8-float-io, int16x8 or int8-qdq."
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
            "--opt",
            "opt",
            multiple=True,
            metavar="NAME",
            help="Apply a rewrite for speed; fast: all that pay everywhere; all: wide-tiles too.",
        ),
        click.option(
            "--no-opt",
            "no_opt",
            multiple=True,
            metavar="NAME",
            help="Leave out a rewrite of the TFLite graph, or all; docs/lowering.md lists them.",
        ),
        click.option("--precision", default="fp32", show_default=True, help=PRECISIONS),
    ):
        command = option(command)
    return command


def phone_options(command: F) -> F:
    """What concerns phones only."""
    for option in (
        click.option("--adb", default="", metavar="PATH", help="The adb program."),
        click.option(
            "--wait", default=0.0, show_default=True, help="Minutes to wait for a phone in use."
        ),
        click.option(
            "--fixed-performance", is_flag=True, help="A clock that the phone sustains; Android 11."
        ),
        click.option("--screen-on", is_flag=True, help="Keep the screen on meanwhile."),
        click.option(
            "--cool-down",
            default=600.0,
            show_default=True,
            help="Seconds to wait at most, before a launch, for the phone to cool or charge.",
        ),
        click.option(
            "--min-battery", default=25, show_default=True, help="Percent, to begin a launch."
        ),
        click.option("--max-temp", type=float, help="°C of the hottest sensor, to begin a launch."),
        click.option(
            "--max-thermal",
            default=0,
            show_default=True,
            help="Android's thermal status, 0 to 6, that a launch may have.",
        ),
    ):
        command = option(command)
    return command


def calibration_options(command: F) -> F:
    """How a calibrated precision is made, for export and quantize."""
    for option in (
        click.option(
            "--auto-mixed",
            type=float,
            metavar="DB",
            help="Keep blocks in float until the output's SNR is at least this.",
        ),
        click.option(
            "--max-snr-loss",
            type=float,
            metavar="DB",
            help="Likewise, until it is at most this far below that of all blocks in float.",
        ),
        click.option(
            "--keep-float", multiple=True, metavar="LAYER", help="A module that stays in float."
        ),
        click.option(
            "--equalize/--no-equalize", default=True, help="Even out MODEL's channels first."
        ),
        click.option(
            "--input-type", default="int8", show_default=True, help="Or uint8: camera frames."
        ),
        click.option(
            "--halves", default="joined", show_default=True, help="Or apart: a scale each."
        ),
        click.option(
            "--bias-correction/--no-bias-correction",
            default=False,
            help="Restore channels' means afterwards.",
        ),
        click.option("--per-channel/--per-tensor", default=True, show_default=True),
        click.option(
            "--ranges",
            default="minmax",
            show_default=True,
            help="Or percentile, mse, or of MODEL bn.",
        ),
        click.option("--crop", default=0.875, show_default=True, help="Share kept of the image."),
        click.option("--calibration-seed", default=0, show_default=True, help="Of the choice."),
        click.option("--calibration-size", default=128, show_default=True, help="Images."),
        click.option(
            "--calibration",
            type=Path,
            help="A folder of images, a .npy or .npz; synthetic ones without.",
        ),
    ):
        command = option(command)
    return command


def quantize_options(o: dict[str, Any]) -> QuantizeOptions:
    from ghostdeploy.quantize import QuantizeOptions

    return QuantizeOptions(
        calibration=o["calibration"],
        size=o["calibration_size"],
        seed=o["calibration_seed"],
        crop=o["crop"],
        ranges=o["ranges"],
        per_channel=o["per_channel"],
        equalize=o["equalize"],
        bias_correction=o["bias_correction"],
        halves=o["halves"],
        input_type=o["input_type"],
        keep_float=o["keep_float"],
        auto_mixed=o["auto_mixed"],
        max_snr_loss=o["max_snr_loss"],
    )


def bench_options(command: F) -> F:
    """How it is measured."""
    command = phone_options(command)
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
        click.option("--resume", is_flag=True, help="Go on with a measurement that was cut off."),
        click.option(
            "--profile",
            is_flag=True,
            help="The time of each operator, too (benchmark_model); qemu: always counts them.",
        ),
        click.option(
            "--plus-flags",
            multiple=True,
            metavar="--NAME=VALUE",
            help="A flag of benchmark_model's that has no option here.",
        ),
        click.option(
            "--delegate",
            type=click.Choice(["gpu", "nnapi"]),
            help="Instead of the CPU, where benchmark_model has it built in.",
        ),
        click.option(
            "--benchmark-model", default="", metavar="PATH", help="TFLite's own benchmark program."
        ),
        click.option(
            "--xnnpack",
            type=click.Choice(["on", "off", "fp16"]),
            default="on",
            show_default=True,
            help="fp16 computes in half precision.",
        ),
        click.option(
            "--runtime",
            default="litert",
            show_default=True,
            help="Here: litert, tflite-runtime or onnxruntime.",
        ),
        click.option(
            "--cpus",
            default="",
            help="Here core numbers, 2,3. On a phone prime, big, mid, little, all or a hex mask;"
            " several with commas are measured one after the other.",
        ),
        click.option("--warmup", default=10, show_default=True, help="Runs before the timed ones."),
        click.option("--runs", default=50, show_default=True, help="Timed runs of a launch."),
        click.option("--launches", default=10, show_default=True, help="Processes a model."),
        click.option("--threads", default=1, show_default=True),
        click.option(
            "--device",
            default="local",
            show_default=True,
            help="local, adb (the only phone), adb:SERIAL, adb:A,B, adb:all, fake:kirin980; or"
            " qemu:cortex-a76, which counts instructions.",
        ),
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
    from ghostdeploy.export.rewrites import chosen

    form = chosen(o["opt"], o["no_opt"])
    return ExportRequest(
        spec=spec,
        formats=formats,
        precision=o["precision"],
        weights=o["weights"],
        seed=o["seed"],
        export=replace(export or ExportOptions(), without=form.without, speed=form.speed),
        out=o["out"],
        force=o["force"],
        **({"quantize": quantize_options(o)} if "calibration" in o else {}),
    )


def bench_params(o: dict[str, Any]) -> BenchParams:
    """The parameters; on a phone it is always TFLite's own program that runs the models."""
    program = o["benchmark_model"] or o["device"].partition(":")[0] in PHONE_SCHEMES
    return BenchParams(
        threads=o["threads"],
        runs=o["runs"],
        warmup=o["warmup"],
        launches=o["launches"],
        runtime="benchmark_model" if program else o["runtime"],
        xnnpack=o["xnnpack"] != "off",
        fp16=o["xnnpack"] == "fp16",
        cpus=o["cpus"],
        benchmark_model=o["benchmark_model"],
        timeout_s=o["timeout"],
        max_disturbance=o["max_disturbance"],
        profile=o.get("profile", False),  # not an option of gates
        delegate=o["delegate"] or "",
        plus_flags=o["plus_flags"],
        phone=PhoneParams(
            max_thermal=o["max_thermal"],
            max_temp_c=o["max_temp"],
            min_battery=o["min_battery"],
            cool_down_s=o["cool_down"],
            screen_on=o["screen_on"],
            fixed_performance=o["fixed_performance"],
        ),
    )


def access(o: dict[str, Any], tell: Callable[[str], None]) -> Access:
    """How to reach the device: what no number depends on."""
    from ghostdeploy.runners import Access

    return Access(tell=tell, resume=o.get("resume", False), wait_s=60 * o["wait"], adb=o["adb"])
