"""This machine as a device: every launch is a fresh, pinned process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, median, pstdev, quantiles

from ghostdeploy.errors import (
    InputFileError,
    MeasurementError,
    MissingExtraError,
    UsageError,
    error_line,
)
from ghostdeploy.runners import Access, RuntimeEvidence, Tensor
from ghostdeploy.runners.host import machine, measuring_child
from ghostdeploy.runners.host.child_process import (
    FinishedProcess,
    build_python_environment,
    run_process,
)
from ghostdeploy.runners.host.disturbance import LaunchWatch
from ghostdeploy.runners.host.measuring_child import LaunchJob, LaunchReport
from ghostdeploy.runners.host.runtimes import check_format, find_evidence, settle_runtime
from ghostdeploy.runners.model_file import check_model_file
from ghostdeploy.schema import (
    AUTO,
    BenchParams,
    DeviceIdentity,
    DeviceState,
    LatencySummary,
    Launch,
)


class LocalRunner:
    """The device ``local``: one of RUNTIMES, in a child process per launch, pinned if possible.

    onnxruntime has no XNNPACK to switch: it always runs on its CPU provider.
    """

    writes_outputs = False

    def __init__(self, target: str, params: BenchParams, access: Access = Access()) -> None:
        if target:
            raise UsageError(f"local takes no address, not {target!r}; write --device local")
        self._evidence: dict[tuple[str, str], RuntimeEvidence] = {}
        if params.runtime != AUTO:
            self.runtime(params)
        check_options(params)
        choose_cpus(params)

    def identity(self) -> DeviceIdentity:
        """Return what this machine is."""
        return machine.read_machine_identity()

    def state(self) -> DeviceState:
        """Return the state that this machine is in now."""
        return machine.read_machine_state()

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        """Return what runs the models. Raises MissingExtraError where it is not installed."""
        key = (params.runtime, params.benchmark_model)
        if key not in self._evidence:
            self._evidence[key] = find_evidence(params)
        return self._evidence[key]

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """Launch the model once, as Runner.launch does."""
        params = settle_runtime(params, model_path)
        check_options(params)
        check_format(model_path, params.runtime)
        check_model_file(model_path)
        cpus = choose_cpus(params)
        if params.runtime == "benchmark_model":
            from ghostdeploy.runners.host.program_launch import launch_program

            return launch_program(model_path, params, cpus)
        return _launch(model_path, params, cpus)

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """Raise UsageError: this machine would be compared with itself."""
        raise UsageError("this machine's outputs are what others are compared with")

    def warnings(self) -> tuple[str, ...]:
        """Return nothing: what disturbs this machine is told by each launch."""
        return ()

    def close(self) -> None:
        """Do nothing: no launch outlives its call."""


def choose_cpus(params: BenchParams) -> tuple[int, ...]:
    """Return the cores to pin to: those asked for, or the last ``threads`` of the allowed ones.

    They are the last because the first core of most machines serves the interrupts, and () where
    the system cannot pin. Raises UsageError for a core that this process may not use.
    """
    allowed = machine.list_allowed_cpus()
    if not params.cpus:
        return allowed[-params.threads :]
    if not allowed:
        raise UsageError("this system cannot pin a process to cores; leave --cpus out")
    wanted = _core_numbers(params.cpus)
    foreign = sorted(wanted - set(allowed))
    if foreign:
        raise UsageError(
            f"core {foreign[0]} is not one this process may use: {', '.join(map(str, allowed))}"
        )
    return tuple(sorted(wanted))


def _core_numbers(text: str) -> set[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise UsageError(f"--cpus takes core numbers such as 2,3 here, not {text!r}")
    return {int(part) for part in parts}


def check_options(params: BenchParams) -> None:
    """Raise UsageError for what only TFLite's own program can do."""
    if params.runtime == "benchmark_model":
        return
    wanted = {
        "--profile": params.profile,
        "--xnnpack fp16": params.fp16,
        "--delegate": params.delegate,
        "--plus-flags": params.plus_flags,
    }
    for option, given in wanted.items():
        if given:
            raise UsageError(
                f"{option} needs TFLite's own program: give it with --benchmark-model PATH"
            )


def summarize_samples(samples_ms: Sequence[float]) -> LatencySummary:
    """Summarize raw runs in ms; the standard deviation is the population's, as TFLite's is."""
    several = samples_ms if len(samples_ms) > 1 else [*samples_ms, *samples_ms]
    twentieths = quantiles(several, n=20, method="inclusive")
    return LatencySummary(
        count=len(samples_ms),
        mean_ms=fmean(samples_ms),
        min_ms=min(samples_ms),
        max_ms=max(samples_ms),
        median_ms=median(samples_ms),
        p5_ms=twentieths[0],
        p95_ms=twentieths[-1],
        std_ms=pstdev(samples_ms),
    )


def why_not_valid(finished: FinishedProcess, timeout_s: float) -> str:
    """Return what is wrong with how the measuring process ended; "" for nothing."""
    if finished.timed_out:
        return f"did not finish in {timeout_s:g} s"
    if finished.killed_by == "SIGKILL":
        return "killed by SIGKILL (out of memory?)"
    if finished.killed_by:
        return f"killed by {finished.killed_by} (a damaged model, or a fault of the runtime)"
    return ""


def _launch(model_path: Path, params: BenchParams, cpus: tuple[int, ...]) -> Launch:
    job = LaunchJob(
        model=str(model_path.absolute()),
        runtime=params.runtime,
        threads=params.threads,
        runs=params.runs,
        warmup=params.warmup,
        xnnpack=params.xnnpack,
        cpus=list(cpus),
        parent=os.getpid(),
        input_range=params.input_range,
        shapes={given.name: list(given.shape) for given in params.input_shapes},
    )
    argv = (sys.executable, "-m", measuring_child.__name__, json.dumps(asdict(job)))
    watch = LaunchWatch(cpus, params.threads, params.max_disturbance)
    finished = run_process(argv, params.timeout_s, build_python_environment(), cpus)
    ended = replace(watch.stop(argv), returncode=finished.returncode, stderr=finished.stderr)
    if wrong := why_not_valid(finished, params.timeout_s):
        return replace(ended, why_not=wrong)
    report = _read_report(finished, model_path, params.runtime)
    disturbed = watch.find_disturbance(report.cpus)
    return replace(
        ended,
        summary=summarize_samples(report.samples_ms),
        samples_ms=tuple(report.samples_ms),
        init_ms=report.init_ms,
        first_ms=report.first_ms,
        warmup_ms=report.warmup_ms,
        peak_mem_mb=report.peak_mem_mb,
        partitions=report.partitions,
        cpus=tuple(report.cpus),
        valid=not disturbed,
        why_not=disturbed,
    )


def _read_report(finished: FinishedProcess, model_path: Path, runtime: str) -> LaunchReport:
    """Read the child's one line. Raises what an error line, or none at all, means."""
    try:
        answer = json.loads(finished.stdout)
    except ValueError:
        raise MeasurementError(
            f"the measuring process ended with code {finished.returncode}: {finished.last_words}"
        ) from None
    if "error" not in answer:
        return LaunchReport(**answer)
    said = error_line(" ".join(answer["message"].split()))
    if answer["error"] == "missing":
        raise MissingExtraError(said, "local")
    if answer["error"] == "model":
        raise InputFileError(f"{model_path}: {runtime} cannot run it: {said}")
    raise MeasurementError(f"{model_path}: {runtime} failed: {said}")
