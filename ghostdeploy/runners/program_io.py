"""What TFLite's benchmark_model is told and what it tells, in ghostdeploy's types.

android_bench writes the command line and parses the log; the words and errors here are the same
for the program on this machine, on a phone and on an emulated core.
"""

from __future__ import annotations

from pathlib import Path

from android_bench import errors as program_errors
from android_bench.log.latencies import LoggedSummary
from android_bench.log.parse import BenchmarkLog, parse_log
from android_bench.program.command_line import BenchmarkOptions, InputFile, build_command_line
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.schema import BenchParams, LatencySummary, OpTime


def build_program_argv(
    program: str,
    model: str,
    params: BenchParams,
    inputs: tuple[InputFile, ...] = (),
    output: str = "",
) -> tuple[str, ...]:
    """Return benchmark_model's command line.

    Raises UsageError for options that contradict each other.
    """
    try:
        options = BenchmarkOptions(
            threads=params.threads,
            runs=params.runs,
            warmup_runs=params.warmup,
            use_xnnpack=params.xnnpack,
            fp16=params.fp16,
            op_profiling=params.profile,
            delegate=params.delegate,
            inputs=inputs or _shaped_inputs(params),
            output_path=output,
            plus_flags=params.plus_flags,
        )
        return build_command_line(program, model, options)
    except program_errors.OptionError as error:
        raise UsageError(str(error)) from error


def _shaped_inputs(params: BenchParams) -> tuple[InputFile, ...]:
    return tuple(InputFile(given.name, given.shape, "") for given in params.input_shapes)


def parse_program_log(
    model_path: Path, stdout: bytes, stderr: bytes, returncode: int
) -> BenchmarkLog:
    """Parse what benchmark_model printed about ``model_path``.

    Raises InputFileError for a model that it refuses, UsageError for flags that it ignores, and
    MeasurementError for a log that is not understood.
    """
    try:
        return parse_log(stdout, stderr, returncode)
    except program_errors.ProgramFailedError as error:
        raise InputFileError(f"{model_path}: benchmark_model cannot run it: {error}") from error
    except program_errors.UnconsumedFlagsError as error:
        raise UsageError(f"this benchmark_model is of another kind: {error}") from error
    except program_errors.ParseError as error:
        raise MeasurementError(f"{model_path}: benchmark_model's log: {error}") from error


def convert_summary(seen: LoggedSummary) -> LatencySummary:
    """Return a series of runs, as the program tells it, in the record's type.

    The program's clock has steps of 1 µs: a minimum below one is printed as 0.
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


def convert_profile(log: BenchmarkLog) -> tuple[OpTime, ...]:
    """Return the regular runs' operator profile, in the program's order.

    Where the program tells of a delegate's inside apart, the delegate's own row is left out.
    """
    inside = any(row.scope == "Delegate internal" for row in log.op_profile)
    return tuple(
        OpTime(row.node_type, row.name, row.avg_ms * row.times_called, row.times_called)
        for row in log.op_profile
        if not (inside and not row.scope and "delegate" in row.node_type.lower())
    )
