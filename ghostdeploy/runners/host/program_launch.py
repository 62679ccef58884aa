"""One launch of TFLite's own benchmark_model on this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from signal import Signals

from android_bench import errors as program_errors
from android_bench.program.command_line import InputFile
from android_bench.program.local_run import LocalRun, run_local
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.runners.host.child_process import decode_bounded
from ghostdeploy.runners.host.disturbance import LaunchWatch
from ghostdeploy.runners.host.reference import write_drawn_inputs
from ghostdeploy.runners.host.runtimes import find_local_program
from ghostdeploy.runners.program_io import (
    build_program_argv,
    convert_profile,
    convert_summary,
    parse_program_log,
)
from ghostdeploy.schema import BenchParams, Launch

START_S = 1e-3  # more than enough: whether it starts is known before this is looked at


def launch_program(model_path: Path, params: BenchParams, cpus: tuple[int, ...]) -> Launch:
    """Launch benchmark_model on ``cpus`` as Runner.launch does.

    Raises UsageError for a program that this machine does not run.
    """
    if not cpus:
        raise UsageError("benchmark_model is run on Linux only; use --runtime litert here")
    program = str(find_local_program(params).absolute())
    with write_drawn_inputs(model_path, params) as files:
        inputs = tuple(InputFile(name, shape, str(path)) for name, shape, path in files)
        argv = build_program_argv(program, str(model_path.absolute()), params, inputs)
        return _launch(model_path, params, cpus, argv)


def _launch(
    model_path: Path, params: BenchParams, cpus: tuple[int, ...], argv: tuple[str, ...]
) -> Launch:
    program, mortal = argv[0], _dying_with_us()
    if mortal:
        _check_starts(program)
    watch = LaunchWatch(cpus, params.threads, params.max_disturbance)
    try:
        with _translated(program):
            run = run_local((*mortal, *argv), params.timeout_s, cpus)
    except program_errors.LaunchTimeoutError as error:
        return replace(
            watch.stop(argv),
            why_not=f"did not finish in {params.timeout_s:g} s",
            stdout=decode_bounded(error.stdout),
            stderr=decode_bounded(error.stderr),
        )
    return _judged(model_path, argv, run, watch)


def _judged(model_path: Path, argv: tuple[str, ...], run: LocalRun, watch: LaunchWatch) -> Launch:
    ended = replace(
        watch.stop(argv),
        returncode=run.returncode,
        cpus=run.cpus,
        stdout=decode_bounded(run.stdout),
        stderr=decode_bounded(run.stderr),
    )
    if run.returncode < 0:
        return replace(ended, why_not=f"killed by {Signals(-run.returncode).name}")
    log = parse_program_log(model_path, run.stdout, run.stderr, run.returncode)
    disturbed = watch.find_disturbance(run.cpus)
    return replace(
        ended,
        summary=convert_summary(log.summary) if log.summary else None,
        init_ms=log.init_ms,
        first_ms=log.first_ms,
        warmup_ms=log.warmup.mean_ms if log.warmup else None,
        peak_mem_mb=run.peak_mem_mb,
        partitions=log.partitions,
        profile=convert_profile(log),
        valid=log.summary is not None and not disturbed,
        why_not=disturbed or ("" if log.summary else "it measured nothing"),
    )


@cache
def _dying_with_us() -> tuple[str, ...]:
    """Return what, put before a command, has the kernel kill it with this process; () for nothing.

    util-linux's setpriv becomes the command by exec, so that the process, its mask and its command
    line are the command's own. Busybox's has no such option.
    """
    setpriv = shutil.which("setpriv")
    prefix = (setpriv or "", "--pdeathsig", "KILL", "--")
    if setpriv and subprocess.run((*prefix, "true"), capture_output=True).returncode == 0:
        return prefix
    return ()


def _check_starts(program: str) -> None:
    """Raise UsageError for a program that the kernel refuses: setpriv would hand it to a shell."""
    with _translated(program), suppress(program_errors.LaunchTimeoutError):
        run_local((program, "--help"), START_S)


@contextmanager
def _translated(program: str) -> Iterator[None]:
    """Raise android_bench's errors as ghostdeploy's; a timeout is for the caller."""
    try:
        yield
    except program_errors.LaunchTimeoutError:
        raise
    except program_errors.OutputTooLongError as error:
        raise MeasurementError(f"{program}: printed far too much to be benchmark_model") from error
    except (program_errors.LaunchError, program_errors.OptionError) as error:
        raise UsageError(str(error)) from error
