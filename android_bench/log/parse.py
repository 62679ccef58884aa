"""Read the log of one launch of TFLite's benchmark_model into a BenchmarkLog, or an error.

Known are the builds from 2018 to LiteRT 2.1.0, the lines that LiteRT's own benchmark_model adds,
stdout and stderr apart or as one stream, and logcat's prefixes. What the lines mean is taken from
the program's sources, tflite/tools/benchmark/, and from logs of real builds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from android_bench.errors import IncompleteLogError, ParseError
from android_bench.log.complaints import check_exit, check_flags, check_single, find_warnings
from android_bench.log.delegates import Delegation, parse_delegation
from android_bench.log.latencies import TIMINGS, LoggedSummary, parse_latencies
from android_bench.log.lines import (
    LogLine,
    find_only,
    quote,
    quote_line,
    read_lines,
    to_amount,
    to_number,
    to_pairs,
)
from android_bench.log.profile import OpProfileRow, parse_profile

_MEMORY_DELTA = (
    "Memory footprint delta from the start of the tool (MB): ",
    "Peak memory footprint (MB): ",  # until 2021
)
_MEMORY_PEAK = "Overall peak memory footprint (MB) via periodic monitoring: "
_MODEL_SIZE = "The input model file size (MB): "
_SESSION = "Initialized session in "


@dataclass(frozen=True)
class BenchmarkLog:
    """One launch measured this; a field is None where the log does not say it.

    ``summary`` is of the regular runs, ``warmup`` of those before them; either is None where the
    program was told to run nothing (``--dry_run``, ``--num_runs=0``), which is no error.
    ``first_ms`` is the first inference of the warm-up. ``init_mem_mb``, ``overall_mem_mb`` (grown
    since the program's start; 0 is a possible value) and ``peak_mem_mb`` are what the program
    calls MB: 2²⁰ bytes. ``model_size_mb`` is in 10⁶ bytes. For ``partitions`` see Delegation.

    ``warnings`` quotes complaints of the program that left the results whole: above all a result
    or profile file that it could not write, of which the exit code says nothing. The numbers hold
    all the same; whoever wants the file misses it when fetching it.
    """

    summary: LoggedSummary | None
    warmup: LoggedSummary | None = None
    init_ms: float | None = None
    first_ms: float | None = None
    model_size_mb: float | None = None
    init_mem_mb: float | None = None
    overall_mem_mb: float | None = None
    peak_mem_mb: float | None = None
    delegate: str | None = None
    fully_delegated: bool | None = None
    delegate_kernels: int | None = None
    partitions: int | None = None
    op_profile: tuple[OpProfileRow, ...] = ()
    init_op_profile: tuple[OpProfileRow, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Memory:
    init_mb: float | None
    overall_mb: float | None
    peak_mb: float | None


def parse_log(stdout: bytes, stderr: bytes, returncode: int) -> BenchmarkLog:
    """Read the output of one launch; with ``2>&1``, give it as ``stdout`` and b"" as ``stderr``.

    ``returncode`` is the exit code, or minus the signal, or a shell's 128 + signal. Raises
    ProgramFailedError for anything but 0, UnconsumedFlagsError for flags that the program
    ignored, IncompleteLogError where the results are not all there, and plain ParseError for
    lines that are garbled, contradict each other, or are of two launches.
    """
    out, err = read_lines(stdout, "stdout"), read_lines(stderr, "stderr")
    check_exit(out, err, returncode)
    lines = [line for line in (*out, *err) if line.ended or _whole_without_end(line)]
    check_flags([*out, *err])
    check_single(lines)
    try:
        log = _build(lines, find_warnings(out, err))
    except IncompleteLogError as error:
        raise _with_cause(error, find_warnings(out, err)) from None
    return log


def _whole_without_end(line: LogLine) -> bool:
    """Tell whether a last line without newline is safe: checked by another, or without data."""
    return (
        line.text.startswith(TIMINGS)
        or line.text.strip("=") == ""
        or (line.text.endswith(" nodes observed"))
    )


def _with_cause(error: IncompleteLogError, warnings: tuple[str, ...]) -> IncompleteLogError:
    if not warnings:
        return error
    return IncompleteLogError("there are no results; the program complains", warnings[0])


def _build(lines: Sequence[LogLine], warnings: tuple[str, ...]) -> BenchmarkLog:
    latencies = parse_latencies(lines)
    profile = parse_profile(lines)
    memory = _memory(lines)
    delegation: Delegation = parse_delegation(lines)
    return BenchmarkLog(
        summary=latencies.runs,
        warmup=latencies.warmup,
        init_ms=latencies.timings.init_ms or _session_ms(lines),
        first_ms=latencies.timings.first_ms,
        model_size_mb=_megabytes(lines, _MODEL_SIZE),
        init_mem_mb=memory.init_mb,
        overall_mem_mb=memory.overall_mb,
        peak_mem_mb=memory.peak_mb,
        delegate=delegation.delegate,
        fully_delegated=delegation.fully,
        delegate_kernels=delegation.kernels,
        partitions=delegation.partitions,
        op_profile=profile.runs,
        init_op_profile=profile.init,
        warnings=warnings,
    )


def _session_ms(lines: Sequence[LogLine]) -> float | None:
    line = find_only(lines, _SESSION)
    if line is None:
        return None
    text = line.text[len(_SESSION) :].strip().removesuffix(".")
    if not text.endswith("ms"):
        raise ParseError("a duration in ms is missing", quote_line(line))
    return to_amount(text.removesuffix("ms").strip(), line) or None


def _memory(lines: Sequence[LogLine]) -> _Memory:
    line = find_only(lines, *_MEMORY_DELTA)
    peak_mb = _megabytes(lines, _MEMORY_PEAK)
    if line is None:
        return _Memory(
            _megabytes(lines, "Init footprint:"),
            _megabytes(lines, "Overall footprint:"),
            peak_mb or _megabytes(lines, "Peak memory:"),
        )
    pairs = to_pairs(line.text.partition("): ")[2].replace(",", " ").split(), line)
    if set(pairs) != {"init", "overall"}:
        raise ParseError("init and overall are not both there", quote_line(line))
    return _Memory(to_number(pairs["init"], line), to_number(pairs["overall"], line), peak_mb)


def _megabytes(lines: Sequence[LogLine], label: str) -> float | None:
    line = find_only(lines, label)
    if line is None:
        return None
    words = line.text[len(label) :].split()
    if words[1:] not in ([], ["MB"]):
        raise ParseError(f"{quote(' '.join(words))} is no size in MB", quote_line(line))
    return to_number(words[0] if words else "", line)
