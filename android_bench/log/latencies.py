"""Read the latencies: the ``count=`` pair, the timings line, LiteRT's result block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from android_bench.errors import IncompleteLogError, ParseError
from android_bench.log.lines import (
    LogLine,
    find_only,
    quote_last,
    quote_line,
    select_lines,
    to_amount,
    to_count,
    to_number,
    to_pairs,
)

ROUNDING = 1e-5  # averages are printed with six significant digits
TIMINGS = ("Inference timings in us: ", "Average inference timings in us: ")
_SPREAD = ("first", "curr", "min", "max", "avg", "std")
_PERCENTILES = ("p5", "median", "p95")


@dataclass(frozen=True)
class LoggedSummary:
    """The program says this of one series of runs, in milliseconds.

    ``mean_ms`` is above 0. A field is None where the program does not print it, and where it
    prints 0 because a run was shorter than its clock's step of 1 µs. ``std_ms`` is cut to whole
    microseconds by the program, so that 0 is a possible value.
    """

    count: int
    mean_ms: float
    first_ms: float | None = None
    last_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    median_ms: float | None = None
    p5_ms: float | None = None
    p95_ms: float | None = None
    std_ms: float | None = None


@dataclass(frozen=True)
class Timings:
    """The program closes with these; ``inference_ms`` and ``warmup_ms`` are 0 after no runs."""

    line: LogLine
    init_ms: float | None
    first_ms: float | None
    warmup_ms: float
    inference_ms: float
    tolerance_ms: float


@dataclass(frozen=True)
class Latencies:
    """A log holds two series and the closing words; a series is None where nothing was run."""

    warmup: LoggedSummary | None
    runs: LoggedSummary | None
    timings: Timings


def parse_latencies(lines: Sequence[LogLine]) -> Latencies:
    """Find the warm-up, the regular runs and the timings line, and hold them to one another.

    Raises IncompleteLogError where one is missing and ParseError where they disagree.
    """
    results = parse_results(lines)
    counts = select_lines(lines, "count=")
    if results is not None and not counts:
        return results
    timings = results.timings if results else parse_timings(lines)
    if timings is None or len(counts) < 2:
        raise IncompleteLogError("the log stops before the results, after", quote_last(lines))
    if len(counts) > 2:
        raise ParseError("a third count= line: the log is of two launches", quote_line(counts[2]))
    warmup, runs = (parse_count_line(line) for line in counts)
    _agree(warmup, timings.warmup_ms, timings)
    _agree(runs, timings.inference_ms, timings)
    return Latencies(warmup, runs, timings)


def parse_count_line(line: LogLine) -> LoggedSummary | None:
    """Read ``count=N first=… curr=… …``, whose numbers are microseconds; None for ``count=0``.

    Equal samples are printed as ``count=N curr=X``, from N = 2 on with ``(all same)``. Raises
    ParseError for a word that is not ``key=number``, a missing key, an average of 0 and numbers
    that cannot be of one series.
    """
    pairs = to_pairs(line.text.replace("(all same)", " ").split(), line)
    count = to_count(pairs.pop("count"), line)
    values = {key: to_number(value, line) for key, value in pairs.items()}
    if count == 0:
        return None
    _check_keys(values, line)
    if "avg" not in values:
        values.update(dict.fromkeys(("first", "min", "max", "avg"), values["curr"]))
    _check_order(values, line)
    return _summary(count, values, line)


def _check_keys(values: dict[str, float], line: LogLine) -> None:
    wanted = set(_SPREAD) if "first" in values or "avg" in values else {"curr"}
    if any(key in values for key in _PERCENTILES):
        wanted.update(_PERCENTILES)
    missing = sorted(wanted - set(values))
    if missing:
        raise ParseError(f"{', '.join(missing)} missing", quote_line(line))


def _check_order(values: dict[str, float], line: LogLine) -> None:
    low, high = values["min"], values["max"]
    rising = [low, *(values[key] for key in _PERCENTILES if key in values), high]
    inner = [values["first"], values["curr"]]
    average_fits = low * (1 - ROUNDING) <= values["avg"] <= high * (1 + ROUNDING)
    if low < 0 or rising != sorted(rising) or not average_fits:
        raise ParseError("these numbers cannot be of one series", quote_line(line))
    if not all(low <= value <= high for value in inner):
        raise ParseError("these numbers cannot be of one series", quote_line(line))


def _summary(count: int, values: dict[str, float], line: LogLine) -> LoggedSummary:
    if values["avg"] <= 0:
        raise ParseError("0 us is below what the clock can tell", quote_line(line))
    return LoggedSummary(
        count=count,
        mean_ms=_ms(values["avg"]),
        first_ms=_positive_ms(values["first"]),
        last_ms=_positive_ms(values["curr"]),
        min_ms=_positive_ms(values["min"]),
        max_ms=_positive_ms(values["max"]),
        median_ms=_positive_ms(values.get("median", 0)),
        p5_ms=_positive_ms(values.get("p5", 0)),
        p95_ms=_positive_ms(values.get("p95", 0)),
        std_ms=_std_ms(values.get("std")),
    )


def _ms(us: float) -> float:
    return float(Decimal(repr(us)).scaleb(-3))  # 6708.4 / 1000 would be 6.708399999999999


def _positive_ms(us: float) -> float | None:
    return _ms(us) if us > 0 else None


def _std_ms(us: float | None) -> float | None:
    # the square root of a variance that rounding made negative is printed as -2^63
    return None if us is None or us < 0 else _ms(us)


def parse_timings(lines: Sequence[LogLine]) -> Timings | None:
    """Read ``Inference timings in us: Init: …, First inference: …, …``; None where it is missing.

    Builds up to 2019 say ``Average inference timings in us: Warmup: …, Init: …, no stats: …``.
    Raises ParseError for a part that is not ``label: number``.
    """
    line = find_only(lines, *TIMINGS)
    if line is None:
        return None
    values = _labelled(line)
    warmup = values.get("Warmup (avg)", values.get("Warmup"))
    names = ("Inference (avg)", "Inference", "no stats")
    inference = next((values[name] for name in names if name in values), None)
    if warmup is None or inference is None:
        raise IncompleteLogError("the timings are not all there", quote_line(line))
    return Timings(
        line=line,
        init_ms=_positive_ms(values.get("Init", 0)),
        first_ms=_positive_ms(values.get("First inference", 0)),
        warmup_ms=_ms(warmup),
        inference_ms=_ms(inference),
        tolerance_ms=0.001,  # the 2022 build may cut the average to whole microseconds
    )


def _labelled(line: LogLine) -> dict[str, float]:
    _, _, body = line.text.partition(" in us: ")
    values = {}
    for part in body.split(","):
        label, _, number = part.strip().partition(": ")
        values[label] = to_amount(number.strip(), line)
    return values


def _agree(summary: LoggedSummary | None, said_ms: float, timings: Timings) -> None:
    mean_ms = summary.mean_ms if summary else 0.0
    slack = timings.tolerance_ms + ROUNDING * mean_ms
    if not math.isclose(mean_ms, said_ms, rel_tol=0, abs_tol=slack):
        raise ParseError(
            f"an average of {mean_ms:.6g} ms in its count= line is contradicted by",
            quote_line(timings.line),
        )


_RESULT_UNITS = {
    "Model initialization": ("ms",),
    "Warmup (first)": ("ms",),
    "Warmup (avg)": ("ms", "runs"),
    "Inference (avg)": ("ms", "runs"),
    "Inference (min)": ("ms",),
    "Inference (max)": ("ms",),
    "Inference (std)": (),
}


def parse_results(lines: Sequence[LogLine]) -> Latencies | None:
    """Read the block that LiteRT's own benchmark_model prints; None where there is none.

    Its lines are ``Inference (avg):      7.95 ms (50 runs)`` and the like, with two decimals and
    no percentiles. Raises ParseError for a wrong unit, IncompleteLogError for an open block.
    """
    found = {label: find_only(lines, label + ":") for label in _RESULT_UNITS}
    average = found["Inference (avg)"]
    opened = find_only(lines, "========== BENCHMARK RESULTS")
    if average is None and not opened:
        return None
    if average is None or (opened and not _closed(lines, opened)):
        raise IncompleteLogError("the log stops within the results, after", quote_last(lines))
    values = {label: _result(label, line) for label, line in found.items() if line}
    return _latencies(average, values)


def _closed(lines: Sequence[LogLine], opened: LogLine) -> bool:
    start = next(i for i, line in enumerate(lines) if line is opened)
    return any(set(line.text) == {"="} for line in lines[start + 1 :])


def _result(label: str, line: LogLine) -> tuple[float, int]:
    words = line.text[len(label) + 1 :].replace("(", " ").replace(")", " ").split()
    units = _RESULT_UNITS[label]
    if len(words) != 1 + len(units) + ("runs" in units) or words[1:2] != list(units[:1]):
        raise ParseError("these words are not understood", quote_line(line))
    if "runs" in units and words[3] != "runs":
        raise ParseError("these words are not understood", quote_line(line))
    return to_amount(words[0], line), to_count(words[2], line) if "runs" in units else 0


def _latencies(line: LogLine, values: dict[str, tuple[float, int]]) -> Latencies:
    mean_ms, count = values["Inference (avg)"]
    warmup_ms, warmup_count = values.get("Warmup (avg)", (0.0, 0))
    timings = Timings(
        line=line,
        init_ms=_shown_ms(values, "Model initialization"),
        first_ms=_shown_ms(values, "Warmup (first)"),
        warmup_ms=warmup_ms,
        inference_ms=mean_ms,
        tolerance_ms=0.0051,
    )
    if count and not mean_ms > 0:
        raise ParseError("0.00 ms is below what the program prints", quote_line(line))
    warmup = LoggedSummary(warmup_count, warmup_ms) if warmup_count and warmup_ms else None
    return Latencies(warmup, _block_summary(count, mean_ms, values, line), timings)


def _block_summary(
    count: int, mean_ms: float, values: dict[str, tuple[float, int]], line: LogLine
) -> LoggedSummary | None:
    if not count:
        return None
    low, high = _shown_ms(values, "Inference (min)"), _shown_ms(values, "Inference (max)")
    if (low or mean_ms) > mean_ms + 0.011 or (high or mean_ms) < mean_ms - 0.011:
        raise ParseError("the average is not between minimum and maximum", quote_line(line))
    std_ms = values["Inference (std)"][0] if "Inference (std)" in values else None
    return LoggedSummary(count, mean_ms, min_ms=low, max_ms=high, std_ms=std_ms)


def _shown_ms(values: dict[str, tuple[float, int]], label: str) -> float | None:
    return values.get(label, (0.0, 0))[0] or None
