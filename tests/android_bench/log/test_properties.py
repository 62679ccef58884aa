"""Whatever happens to a log: a result that makes sense, or a ParseError."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from android_bench.errors import ParseError
from android_bench.log.parse import parse_log

# kept short: the noise shall hit what is read, and one profile of each kind is enough
KEYS = [
    "litert_2.1.0/v2_fp32_xnnpack_true", "litert_2.1.0/peak_mem_interval",
    "litert_2.1.0/slow_over_1s", "litert_2.1.0/opprof_csv_unwritable",
    "litert_2.1.0/combined_2to1", "litert_2.1.0_aarch64/num_runs_1",
    "tflite_2022/peak_mem", "tflite_2022/v2_fp32_opprof_xnnpack", "tflite_2022/num_runs_1",
]  # fmt: skip
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
keys = st.sampled_from(KEYS)


def outcome(stdout: bytes, stderr: bytes, returncode: int):
    """Check and give the log, or None for a ParseError; anything else fails the test."""
    try:
        log = parse_log(stdout, stderr, returncode)
    except ParseError as error:
        check_message(str(error))
        return None
    for summary in (log.summary, log.warmup):
        if summary is not None:
            check(summary)
    for row in (*log.op_profile, *log.init_op_profile):
        assert math.isfinite(row.avg_ms)
        assert row.avg_ms >= 0
    return log


def check_message(message):
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 1000


def check(summary):
    values = dataclasses.asdict(summary)
    count, std_ms = values.pop("count"), values.pop("std_ms")
    assert count > 0
    assert std_ms is None or (math.isfinite(std_ms) and std_ms >= 0)
    assert values["mean_ms"] is not None
    assert all(v is None or (math.isfinite(v) and v > 0) for v in values.values())


@FEW
@given(key=keys, data=st.data())
def test_a_truncated_log_never_gives_other_latencies(log_cases, key, data):
    case = log_cases[key]
    cut = data.draw(st.integers(0, len(case.stdout)))
    whole = parse_log(case.stdout, case.stderr, 0)
    log = outcome(case.stdout[:cut], case.stderr, 0)
    if log is not None:
        assert log.summary == whole.summary
        assert log.warmup == whole.warmup
        for name in ("init_mem_mb", "overall_mem_mb", "peak_mem_mb", "model_size_mb"):
            assert getattr(log, name) in (None, getattr(whole, name))
        assert log.op_profile in ((), whole.op_profile)


@pytest.mark.parametrize("key", ["litert_2.1.0/v2_fp32_xnnpack_true", "tflite_2022/peak_mem"])
def test_no_cut_before_the_timings_passes(log_cases, key):
    stdout = log_cases[key].stdout
    end = stdout.index(b"Inference (avg): ") + len(b"Inference (avg): ")
    assert all(outcome(stdout[:cut], b"", 0) is None for cut in range(end))


@FEW
@given(key=keys, data=st.data())
def test_noise_in_a_line(log_cases, key, data):
    case = log_cases[key]
    lines = case.stdout.split(b"\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["drop", "double", "replace", "insert", "swap"]))
    noise = data.draw(st.binary(max_size=40))
    if how == "drop":
        del lines[at]
    elif how == "double":
        lines.insert(at, lines[at])
    elif how == "replace":
        lines[at] = noise
    elif how == "swap":
        other = data.draw(st.integers(0, len(lines) - 1))
        lines[at], lines[other] = lines[other], lines[at]
    else:
        place = data.draw(st.integers(0, len(lines[at])))
        lines[at] = lines[at][:place] + noise + lines[at][place:]
    outcome(b"\n".join(lines), case.stderr, 0)


@FEW
@given(key=keys, data=st.data())
def test_noise_in_the_count_line(log_cases, key, data):
    """Numbers and keys of the line that matters most, replaced by others like them."""
    case = log_cases[key]
    start = [i for i, line in enumerate(case.stdout.split(b"\n")) if b"count=" in line][1]
    lines = case.stdout.split(b"\n")
    words = lines[start].split(b" ")
    at = data.draw(st.integers(0, len(words) - 1))
    number = data.draw(st.sampled_from(["0", "-1", "nan", "inf", "1e400", "", "7", "1e-9", "x"]))
    words[at] = words[at].split(b"=")[0] + b"=" + number.encode()
    lines[start] = b" ".join(words)
    outcome(b"\n".join(lines), case.stderr, 0)


@FEW
@given(st.binary(max_size=400), st.binary(max_size=100), st.integers(-70, 300))
def test_random_bytes(stdout, stderr, returncode):
    assert outcome(stdout, stderr, returncode) is None


WORDS = st.sampled_from(
    [
        "count=1 curr=5", "count=2 first=1 curr=3 min=1 max=3 avg=2 std=1", "STARTING!",
        "Inference timings in us: Init: 1, First inference: 5, Warmup (avg): 5, Inference (avg): 2",
        "Inference (avg): 3 ms (2 runs)", "========== BENCHMARK RESULTS ====", "====", "INFO: ",
        "============================== Run Order ====", "\t[node type]\t[avg ms]", "\ta\t1",
        "node type, avg_ms, times called, name", "a, 1, 1, b", "", "3 nodes observed",
        "Operator-wise Profiling Info", "Profiling Info for Benchmark Initialization:",
        "Number of nodes executed: 1", "ERROR: no", "Initialized session in 3ms.",
        "Explicitly applied X delegate, and the model graph will be", "Delegate internal:",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=14), st.lists(WORDS, max_size=3))
def test_lines_in_any_order(stdout, stderr):
    outcome("\n".join(stdout).encode() + b"\n", "\n".join(stderr).encode(), 0)


us = st.integers(1, 10**9)


@st.composite
def series(draw):
    samples = draw(st.lists(us, min_size=2, max_size=30).filter(lambda x: len(set(x)) > 1))
    ranked = sorted(samples)
    spread = {
        "first": samples[0], "curr": samples[-1], "min": ranked[0], "max": ranked[-1],
        "avg": f"{sum(samples) / len(samples):.6g}", "std": draw(st.integers(0, 10**6)),
    }  # fmt: skip
    names = ("p5", "median", "p95")
    percentiles = {
        name: ranked[min(len(ranked) - 1, len(ranked) * p // 100)]
        for name, p in zip(names, (5, 50, 95), strict=True)
    }
    return {"count": len(samples), **spread, **(percentiles if draw(st.booleans()) else {})}


@settings(max_examples=200, deadline=None)
@given(series(), series(), us, st.sampled_from(["", "INFO: "]), st.sampled_from(["\n", "\r\n"]))
def test_what_is_printed_is_what_is_read(warmup, runs, init, prefix, newline):
    lines = [" ".join(f"{key}={value}" for key, value in x.items()) for x in (warmup, runs)]
    lines.append(
        f"Inference timings in us: Init: {init}, First inference: {warmup['first']},"
        f" Warmup (avg): {warmup['avg']}, Inference (avg): {runs['avg']}"
    )
    text = "".join(prefix + line + newline for line in lines)
    log = parse_log(text.encode(), b"", 0)
    assert log.init_ms == pytest.approx(init / 1e3, rel=1e-12)
    names = {"first": "first_ms", "curr": "last_ms", "avg": "mean_ms", "min": "min_ms",
             "max": "max_ms", "std": "std_ms", "p5": "p5_ms", "median": "median_ms",
             "p95": "p95_ms"}  # fmt: skip
    for printed, summary in ((warmup, log.warmup), (runs, log.summary)):
        assert summary.count == printed["count"]
        for key, field in names.items():
            got = getattr(summary, field)
            if key in printed:
                assert got * 1e3 == pytest.approx(float(printed[key]), rel=1e-12)
            else:
                assert got is None
