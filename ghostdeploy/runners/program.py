"""One launch of TFLite's own benchmark_model on this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from signal import Signals
from typing import Any

from android_bench import errors as program_errors
from android_bench.log.latencies import LoggedSummary
from android_bench.log.parse import BenchmarkLog, parse_log
from android_bench.program.command_line import BenchmarkOptions, InputFile, build_command_line
from android_bench.program.local_run import LocalRun, run_local
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.runners.process import bounded_text
from ghostdeploy.runners.runtimes import benchmark_program
from ghostdeploy.runners.watch import Watch
from ghostdeploy.schema import BenchParams, LatencySummary, Launch, OpTime

START_S = 1e-3  # more than enough: whether it starts is known before this is looked at


def launch_program(model_path: Path, params: BenchParams, cpus: tuple[int, ...]) -> Launch:
    """As Runner.launch. Raises UsageError for a program that does not run here."""
    if not cpus:
        raise UsageError("benchmark_model is run on Linux only; use --runtime litert here")
    program = str(benchmark_program(params).absolute())
    argv = program_argv(program, str(model_path.absolute()), params)
    mortal = _dying_with_us()
    if mortal:
        _check_starts(program)
    watch = Watch(cpus, params.threads, params.max_disturbance)
    try:
        with _translated(program):
            run = run_local((*mortal, *argv), params.timeout_s, cpus)
    except program_errors.LaunchTimeoutError as error:
        return Launch(
            argv=argv,
            summary=None,
            valid=False,
            why_not=f"did not finish in {params.timeout_s:g} s",
            **_output(error.stdout, error.stderr),
            **watch.stop(),
        )
    return _judged(model_path, argv, run, watch)


def program_argv(
    program: str,
    model: str,
    params: BenchParams,
    inputs: tuple[InputFile, ...] = (),
    output: str = "",
) -> tuple[str, ...]:
    """benchmark_model's command line. Raises UsageError for options that contradict each other."""
    try:
        options = BenchmarkOptions(
            threads=params.threads,
            runs=params.runs,
            warmup_runs=params.warmup,
            use_xnnpack=params.xnnpack,
            fp16=params.fp16,
            op_profiling=params.profile,
            delegate=params.delegate,
            inputs=inputs,
            output_path=output,
            plus_flags=params.plus_flags,
        )
        return build_command_line(program, model, options)
    except program_errors.OptionError as error:
        raise UsageError(str(error)) from error


def op_times(log: BenchmarkLog) -> tuple[OpTime, ...]:
    """The regular runs' operator profile, in the program's order.

    Where the program tells of a delegate's inside apart, the delegate's own row is left out.
    """
    inside = any(row.scope == "Delegate internal" for row in log.op_profile)
    return tuple(
        OpTime(row.node_type, row.name, row.avg_ms * row.times_called, row.times_called)
        for row in log.op_profile
        if not (inside and not row.scope and "delegate" in row.node_type.lower())
    )


def _judged(model_path: Path, argv: tuple[str, ...], run: LocalRun, watch: Watch) -> Launch:
    common = watch.stop() | _output(run.stdout, run.stderr)
    common |= {"argv": argv, "returncode": run.returncode, "cpus": run.cpus}
    if run.returncode < 0:
        why = f"killed by {Signals(-run.returncode).name}"
        return Launch(summary=None, valid=False, why_not=why, **common)
    log = parsed(model_path, run.stdout, run.stderr, run.returncode)
    disturbed = watch.disturbance(run.cpus)
    return Launch(
        summary=summary_of(log.summary) if log.summary else None,
        init_ms=log.init_ms,
        first_ms=log.first_ms,
        warmup_ms=log.warmup.mean_ms if log.warmup else None,
        peak_mem_mb=run.peak_mem_mb,
        partitions=log.partitions,
        profile=op_times(log),
        valid=log.summary is not None and not disturbed,
        why_not=disturbed or ("" if log.summary else "it measured nothing"),
        **common,
    )


def parsed(model_path: Path, stdout: bytes, stderr: bytes, returncode: int) -> BenchmarkLog:
    """The log. Raises InputFileError, UsageError or MeasurementError for what the program says."""
    try:
        return parse_log(stdout, stderr, returncode)
    except program_errors.ProgramFailedError as error:
        raise InputFileError(f"{model_path}: benchmark_model cannot run it: {error}") from error
    except program_errors.UnconsumedFlagsError as error:
        raise UsageError(f"this benchmark_model is of another kind: {error}") from error
    except program_errors.ParseError as error:
        raise MeasurementError(f"{model_path}: benchmark_model's log: {error}") from error


@cache
def _dying_with_us() -> tuple[str, ...]:
    """What to put before a command to have the kernel kill it with this process; () for nothing.

    util-linux's setpriv becomes the command by exec, so that the process, its mask and its command
    line are the command's own. Busybox's has no such option.
    """
    setpriv = shutil.which("setpriv")
    prefix = (setpriv or "", "--pdeathsig", "KILL", "--")
    if setpriv and subprocess.run((*prefix, "true"), capture_output=True).returncode == 0:
        return prefix
    return ()


def _check_starts(program: str) -> None:
    """Raises UsageError for a program that the kernel refuses: setpriv would hand it to a shell."""
    with _translated(program), suppress(program_errors.LaunchTimeoutError):
        run_local((program, "--help"), START_S)


@contextmanager
def _translated(program: str) -> Iterator[None]:
    """android_bench's errors as ours; a timeout is for the caller."""
    try:
        yield
    except program_errors.LaunchTimeoutError:
        raise
    except program_errors.OutputTooLongError as error:
        raise MeasurementError(f"{program}: printed far too much to be benchmark_model") from error
    except (program_errors.LaunchError, program_errors.OptionError) as error:
        raise UsageError(str(error)) from error


def summary_of(seen: LoggedSummary) -> LatencySummary:
    """A series of runs as the program tells it.

    Its clock has steps of 1 µs: a minimum below one is printed as 0.
    """
    return LatencySummary(
        count=seen.count,
        mean_ms=seen.mean_ms,
        min_ms=seen.min_ms or 0.0,
        max_ms=seen.max_ms or seen.mean_ms,
        median_ms=seen.median_ms,
        p5_ms=seen.p5_ms,
        p95_ms=seen.p95_ms,
        std_ms=seen.std_ms,
    )


def _output(stdout: bytes, stderr: bytes) -> dict[str, Any]:
    return {"stdout": bounded_text(stdout), "stderr": bounded_text(stderr)}
