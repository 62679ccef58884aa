"""LiteRT's result block, line by line: where it stops, what its lines may say, what they round."""

from __future__ import annotations

import pytest

from android_bench.errors import IncompleteLogError, ParseError
from android_bench.log.latencies import LoggedSummary
from android_bench.log.parse import parse_log

OPENED = "========== BENCHMARK RESULTS =========="
CLOSED = "======================================"
LINES = (
    "Model initialization: 12.34 ms",
    "Warmup (first):       9.10 ms",
    "Warmup (avg):         8.20 ms (61 runs)",
    "Inference (avg):      7.95 ms (50 runs)",
    "Inference (min):      7.70 ms",
    "Inference (max):      8.41 ms",
    "Inference (std):      0.12",
)


def parse(*lines: str):
    return parse_log("".join(f"{line}\n" for line in lines).encode(), b"", 0)


def changed(old: str, new: str):
    return parse(OPENED, *(line.replace(old, new) for line in LINES), CLOSED)


@pytest.mark.parametrize("kept", range(len(LINES) + 1))
def test_an_open_block_is_a_log_that_stops_in_its_results(kept: int) -> None:
    """Even where the average is there already: what follows may be what speaks against it."""
    with pytest.raises(IncompleteLogError, match="stops within the results, after"):
        parse(OPENED, *LINES[:kept])


@pytest.mark.parametrize("kept", range(3))
def test_a_closed_block_without_the_average_has_no_results(kept: int) -> None:
    with pytest.raises(IncompleteLogError, match="stops within the results"):
        parse(OPENED, *LINES[:kept], CLOSED)


def test_a_rule_before_the_block_does_not_close_it() -> None:
    with pytest.raises(IncompleteLogError):
        parse(CLOSED, OPENED, *LINES)
    assert parse(CLOSED, OPENED, *LINES, CLOSED).summary.mean_ms == 7.95


def test_a_second_block_is_of_another_launch() -> None:
    for rest in ((), (CLOSED,)):
        with pytest.raises(ParseError, match="is it of two launches"):
            parse(OPENED, *LINES, CLOSED, OPENED, *rest)


def test_a_block_without_a_warm_up_agrees_with_count_lines_of_none() -> None:
    runs = COUNTS[1].format(runs=7950)
    block = [line for line in LINES if not line.startswith("Warmup")]
    log = parse("count=0", runs, OPENED, *block, CLOSED)
    assert (log.summary.count, log.warmup, log.first_ms) == (50, None, None)
    with pytest.raises(ParseError, match="is contradicted by"):
        parse(COUNTS[0].format(warmup=8200), runs, OPENED, *block, CLOSED)


def test_each_line_may_be_missing_but_the_average() -> None:
    for line in (LINES[0], LINES[1], LINES[2], *LINES[4:]):
        log = parse(OPENED, *(other for other in LINES if other != line), CLOSED)
        assert (log.summary.count, log.summary.mean_ms) == (50, 7.95)
        found = (log.init_ms, log.first_ms, log.warmup, log.summary.min_ms, log.summary.max_ms)
        assert sum(value is None for value in (*found, log.summary.std_ms)) == 1


def test_lines_without_the_block_around_them() -> None:
    assert parse(*LINES).summary == LoggedSummary(50, 7.95, min_ms=7.7, max_ms=8.41, std_ms=0.12)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7.70 ms", "7.70 us"),
        ("7.70 ms", "7.70"),
        ("7.70 ms", "7.70 ms more"),
        ("8.20 ms (61 runs)", "8.20 ms (61 laps)"),
        ("8.20 ms (61 runs)", "8.20 ms (61)"),
        ("8.20 ms (61 runs)", "8.20 ms"),
        ("7.95 ms (50 runs)", "7.95 ms (-50 runs)"),
        ("7.95 ms (50 runs)", "7.95 ms (50.5 runs)"),
        ("0.12", "0.12 ms"),
        ("0.12", "-0.12"),
        ("12.34 ms", ""),
    ],
)
def test_words_that_are_not_understood(old: str, new: str) -> None:
    with pytest.raises(ParseError):
        changed(old, new)


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        # two decimals each: what prints 7.96 and 7.95 may be one number
        ("7.70 ms", "7.96 ms", True), ("7.70 ms", "7.97 ms", False),
        ("8.41 ms", "7.94 ms", True), ("8.41 ms", "7.93 ms", False),
    ],
)  # fmt: skip
def test_the_average_lies_between_the_extremes_but_for_rounding(old, new, fits) -> None:
    if fits:
        assert changed(old, new).summary.mean_ms == 7.95
        return
    with pytest.raises(ParseError, match="not between minimum and maximum"):
        changed(old, new)


def test_no_runs_and_no_time_are_no_latency() -> None:
    log = changed("7.95 ms (50 runs)", "0.00 ms (0 runs)")
    assert log.summary is None
    assert log.warmup == LoggedSummary(61, 8.20)
    assert changed("8.20 ms (61 runs)", "0.00 ms (0 runs)").warmup is None
    with pytest.raises(ParseError, match=r"0\.00 ms is below what the program prints"):
        changed("7.95 ms (50 runs)", "0.00 ms (50 runs)")
    assert changed("7.70 ms", "0.00 ms").summary.min_ms is None  # shorter than it prints


COUNTS = (
    "count=61 first=9101 curr=8000 min=7900 max=9101 avg={warmup} std=90",
    "count=50 first=7800 curr=8000 min=7700 max=8410 avg={runs} std=120",
)


@pytest.mark.parametrize(
    ("warmup", "runs", "agree"),
    [
        (8200, 7950, True), (8205, 7945, True), (8195, 7955, True),
        (8206, 7950, False), (8194, 7950, False), (8200, 7956, False), (8200, 7944, False),
    ],
)  # fmt: skip
def test_count_lines_agree_with_the_block_to_its_two_decimals(warmup, runs, agree) -> None:
    counts = [line.format(warmup=warmup, runs=runs) for line in COUNTS]
    if agree:
        assert parse(*counts, OPENED, *LINES, CLOSED).summary.mean_ms == runs / 1000
        return
    with pytest.raises(ParseError, match="is contradicted by"):
        parse(*counts, OPENED, *LINES, CLOSED)


TIMINGS = (
    "Inference timings in us: Init: 4452, First inference: 9101, Warmup (avg): {warmup},"
    " Inference (avg): {runs}"
)


@pytest.mark.parametrize(("runs", "agree"), [(7950, True), (7951, True), (7949, True),
                                             (7952, False), (7948, False)])  # fmt: skip
def test_the_timings_agree_to_a_microsecond(runs: int, agree: bool) -> None:
    lines = [line.format(warmup=8200, runs=7950) for line in COUNTS]
    closing = TIMINGS.format(warmup=8200, runs=runs)
    if agree:
        assert parse(*lines, closing).summary.mean_ms == 7.95
        return
    with pytest.raises(ParseError, match="is contradicted by"):
        parse(*lines, closing)


@pytest.mark.parametrize("kept", [0, 1])
def test_one_count_line_is_a_log_that_stops(kept: int) -> None:
    lines = [line.format(warmup=8200, runs=7950) for line in COUNTS]
    with pytest.raises(IncompleteLogError, match="stops before the results"):
        parse(*lines[:kept], TIMINGS.format(warmup=8200, runs=7950))
    with pytest.raises(IncompleteLogError, match="stops before the results"):
        parse(*lines)


def test_a_series_and_its_order() -> None:
    """The smallest and the largest may be the average, printed with six digits."""
    same = "count=50 first=7950 curr=7950 min=7950 max=7950 avg=7950 std=0"
    lines = (COUNTS[0].format(warmup=8200), same, TIMINGS.format(warmup=8200, runs=7950))
    summary = parse(*lines).summary
    assert (summary.min_ms, summary.max_ms, summary.std_ms) == (7.95, 7.95, 0.0)
    percentiles = f"{same} p5=7950 median=7950 p95=7950"
    assert parse(lines[0], percentiles, lines[2]).summary.p95_ms == 7.95
    for broken in ("p5=7951 median=7950 p95=7950", "p5=7950 median=7950 p95=7949"):
        with pytest.raises(ParseError, match="one series"):
            parse(lines[0], f"{same} {broken}", lines[2])


@pytest.mark.parametrize(("average", "fits"), [(100001, True), (100002, False),
                                               (99999, True), (99998, False)])  # fmt: skip
def test_an_average_is_beyond_the_extremes_by_a_rounding_only(average: int, fits: bool) -> None:
    """Six digits of it are printed: what prints 100001 may be 100000.5."""
    same = f"count=50 first=100000 curr=100000 min=100000 max=100000 avg={average} std=0"
    lines = (COUNTS[0].format(warmup=8200), same, TIMINGS.format(warmup=8200, runs=average))
    if fits:
        assert parse(*lines).summary.mean_ms == average / 1000
        return
    with pytest.raises(ParseError, match="one series"):
        parse(*lines)


def test_a_run_shorter_than_the_clocks_step() -> None:
    """0 us is what it prints then: no value, but the average still counts."""
    runs = "count=50 first=0 curr=0 min=0 max=2 avg=0.5 std=0"
    closing = TIMINGS.format(warmup=8200, runs=0.5).replace("Init: 4452", "Init: 0")
    log = parse(COUNTS[0].format(warmup=8200), runs, closing)
    summary = log.summary
    assert (summary.mean_ms, summary.max_ms, summary.std_ms) == (0.0005, 0.002, 0.0)
    assert (summary.min_ms, summary.first_ms, summary.last_ms, log.init_ms) == (None,) * 4


def test_half_a_millisecond_is_a_latency() -> None:
    short = [line for line in LINES if "(m" not in line]
    log = parse(OPENED, *(line.replace("7.95 ms", "0.01 ms") for line in short), CLOSED)
    assert log.summary == LoggedSummary(50, 0.01, std_ms=0.12)
