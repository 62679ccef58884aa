"""What a model is measured on, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from ghostdeploy.cli.options.arguments import folder, group, option
from ghostdeploy.cli.options.completions import complete_devices, complete_runtimes
from ghostdeploy.cli.options.random_inputs import random_input_range
from ghostdeploy.cli.options.types import InputShapeType

if TYPE_CHECKING:
    from ghostdeploy.runners import Device
    from ghostdeploy.schema import BenchParams, InputShape, PhoneParams


@dataclass(frozen=True)
class PhoneArguments:
    """In what state a phone is measured, and how it is reached."""

    HEADING: ClassVar[str] = "State of a phone"

    max_thermal: int = option(
        "--max-thermal",
        default=0,
        show_default=True,
        help="Highest thermal status of Android, 0 to 6, that a launch may have.",
    )
    max_temp: float | None = option(
        "--max-temp",
        type=float,
        metavar="°C",
        help="Highest temperature of the hottest sensor at which a launch may begin.",
    )
    min_battery: int = option(
        "--min-battery",
        default=25,
        show_default=True,
        help="Lowest charge of the battery, in percent, at which a launch may begin.",
    )
    cool_down: float = option(
        "--cool-down",
        default=600.0,
        show_default=True,
        help="Wait at most so many seconds before a launch for the phone to cool or charge.",
    )
    screen_on: bool = option(
        "--screen-on", is_flag=True, help="Keep the phone's screen on during the measurement."
    )
    fixed_performance: bool = option(
        "--fixed-performance",
        is_flag=True,
        help="Ask for a clock that the phone can sustain (Android 11 and newer).",
    )
    adb: str = option(
        "--adb",
        default="",
        metavar="PATH",
        help="The adb program; it is looked for in the usual places without.",
    )

    @property
    def params(self) -> PhoneParams:
        """The phone's part of the parameters. Raises UsageError for values that cannot be."""
        from ghostdeploy.schema import PhoneParams

        return PhoneParams(
            max_thermal=self.max_thermal,
            max_temp_c=self.max_temp,
            min_battery=self.min_battery,
            cool_down_s=self.cool_down,
            screen_on=self.screen_on,
            fixed_performance=self.fixed_performance,
        )


@dataclass(frozen=True)
class LaunchArguments:
    """The device, and what one launch on it is: a process of its own, of several timed runs."""

    HEADING: ClassVar[str] = "Device and launches"

    device: str = option(
        "--device",
        shell_complete=complete_devices,
        default="local",
        show_default=True,
        help="What to measure on: local (this machine), adb (the only phone), adb:SERIAL, adb:A,B,"
        " adb:all, fake:kirin980 (a simulated phone), or qemu:cortex-a76, which counts"
        " instructions.",
    )
    threads: int = option(
        "--threads", default=1, show_default=True, help="Threads that compute an inference."
    )
    runs: int = option(
        "--runs", default=50, show_default=True, help="Timed runs of the model in each launch."
    )
    warmup: int = option(
        "--warmup", default=10, show_default=True, help="Untimed runs before the timed ones."
    )
    cpus: str = option(
        "--cpus",
        default="",
        help="Cores to run on. On this machine: core numbers such as 2,3. On a phone: prime, big,"
        " mid, little, all or a hex mask; several with commas are measured one after the other.",
    )
    runtime: str = option(
        "--runtime",
        shell_complete=complete_runtimes,
        default="auto",
        show_default=True,
        help="Runtime on this machine: litert, tflite-runtime or onnxruntime; auto takes litert for"
        " .tflite and onnxruntime for .onnx.",
    )
    input_shape: tuple[InputShape, ...] = option(
        "--input-shape",
        type=InputShapeType(),
        multiple=True,
        metavar="[NAME=]SIDExSIDE...",
        help="Shape of an input that a model leaves open, e.g. 1x3x224x224. May be repeated; each"
        " input takes the first that fits.",
    )
    xnnpack: str = option(
        "--xnnpack",
        type=click.Choice(["on", "off", "fp16"]),
        default="on",
        show_default=True,
        help="Compute with XNNPACK's kernels, or with TFLite's builtin ones; fp16 computes in half"
        " precision.",
    )
    benchmark_model: str = option(
        "--benchmark-model",
        default="",
        metavar="PATH",
        help="TFLite's own benchmark program, to measure with instead of the runtime.",
    )
    delegate: str | None = option(
        "--delegate",
        type=click.Choice(["gpu", "nnapi"]),
        help="Compute with this delegate instead of the CPU, where benchmark_model has it built"
        " in.",
    )
    plus_flags: tuple[str, ...] = option(
        "--plus-flags",
        multiple=True,
        metavar="--NAME=VALUE",
        help="Pass benchmark_model a flag that has no option here. May be repeated.",
    )
    input_range: tuple[float, ...] = random_input_range()
    timeout: float = option(
        "--timeout", default=300.0, show_default=True, help="Seconds that one launch may take."
    )
    max_disturbance: float = option(
        "--max-disturbance",
        default=0.25,
        show_default=True,
        help="Largest share of its cores' time that other programs may take in a launch that"
        " counts.",
    )
    records: Path = folder("--records", "reports", "Folder of the records and reports.")
    phone: PhoneArguments = group(PhoneArguments)

    @property
    def on(self) -> Device:
        """The device."""
        from ghostdeploy.runners import Device

        return Device.parse(self.device)

    def params(self, launches: int = 1, *, profile: bool = False) -> BenchParams:
        """Return the parameters; on a phone it is always TFLite's own program that runs the models.

        Raises UsageError for values that cannot be.
        """
        from ghostdeploy.runners import choose_runtime
        from ghostdeploy.schema import BenchParams

        params = BenchParams(
            threads=self.threads,
            runs=self.runs,
            warmup=self.warmup,
            launches=launches,
            runtime=self.runtime,
            xnnpack=self.xnnpack != "off",
            fp16=self.xnnpack == "fp16",
            cpus=self.cpus,
            benchmark_model=self.benchmark_model,
            timeout_s=self.timeout,
            max_disturbance=self.max_disturbance,
            profile=profile,
            delegate=self.delegate or "",
            plus_flags=self.plus_flags,
            input_range=self.input_range,
            phone=self.phone.params,
            input_shapes=self.input_shape,
        )
        return choose_runtime(self.on, params)


@dataclass(frozen=True)
class SessionArguments:
    """How many launches there are, and what else a session does; a gate decides these itself."""

    HEADING: ClassVar[str] = "Session"

    launches: int = option(
        "--launches",
        default=10,
        show_default=True,
        help="Launches of each model; each is a process of its own.",
    )
    profile: bool = option(
        "--profile",
        is_flag=True,
        help="Also time each operator (with benchmark_model); on an emulated core the operators"
        " are counted always.",
    )
    trace: Path | None = option(
        "--trace",
        type=Path,
        metavar="FILE",
        help="Write the operators' times of --profile as a trace for Perfetto or Chrome.",
    )
    resume: bool = option(
        "--resume", is_flag=True, help="Go on with a measurement that was cut off."
    )
    wait: float = option(
        "--wait",
        default=0.0,
        show_default=True,
        help="Wait so many minutes for a phone that another process measures on.",
    )
