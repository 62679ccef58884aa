"""Every log of the real builds: exact values for some, and for all what must hold anyway."""

from __future__ import annotations

import re

import pytest

from android_bench.errors import (
    IncompleteLogError,
    ParseError,
    ProgramFailedError,
    UnconsumedFlagsError,
)
from android_bench.log.parse import parse_log

X86, ARM, OLD = "litert_2.1.0/", "litert_2.1.0_aarch64/", "tflite_2022/"

# ruff: noqa: E501  the tables below are meant to be read across

# read from the logs by eye: log, count, mean, min, max, median, p5, p95, std (ms), init, first
LATENCIES = [
    (X86 + "default_v2_fp32", 148, 6.72495, 6.586, 7.571, 6.705, 6.615, 6.855, 0.107, None, 8.566),
    (X86 + "v2_fp32_xnnpack_true", 144, 6.88796, 6.586, 8.083, 6.836, 6.631, 7.229, 0.234, 13.769, 7.467),
    (X86 + "num_runs_10_warm_3", 10, 6.7084, 6.576, 6.877, 6.699, 6.576, 6.877, 0.083, 20.518, 7.039),
    (X86 + "warmup_0", 145, 6.86306, 6.371, 7.850, 6.778, 6.421, 7.582, 0.379, 14.110, None),
    (X86 + "peak_mem_interval", 144, 6.86688, 6.607, 8.048, 6.832, 6.645, 7.197, 0.205, 14.891, 7.264),
    (X86 + "v2_fp32_threads4", 223, 4.43324, 3.433, 9.623, 4.364, 3.527, 5.580, 0.724, 24.395, 4.152),
    (X86 + "slow_over_1s", 2, 1072.49, 1043.434, 1101.539, 1101.539, 1043.434, 1101.539, 29.052, 185.137, 1345.387),
    (X86 + "result_file_bad", 599, 1.63835, 1.538, 2.305, 1.610, 1.549, 1.824, 0.100, 9.373, 1.724),
    (X86 + "max_secs_0.2", 30, 6.82833, 6.651, 7.281, 6.802, 6.709, 7.057, 0.125, 15.077, 7.420),
    (X86 + "two_signatures", 6199292, 7.82155e-05, None, 0.080, None, None, 0.001, 0.0, 0.662, 0.008),
    (X86 + "dynamic_batch", 497201, 0.00167232, 0.001, 0.099, 0.002, 0.001, 0.002, 0.0, 0.589, 0.017),
    (X86 + "combined_2to1", 142, 6.97532, 6.693, 8.091, 6.909, 6.746, 7.427, 0.239, 16.867, 8.040),
    (X86 + "opprof_csv_unwritable", 553, 1.75154, 1.617, 6.101, 1.719, 1.643, 1.862, 0.283, 26.505, 1.805),
    (ARM + "num_runs_1", 1, 2422.717, 2422.717, 2422.717, 2422.717, 2422.717, 2422.717, None, 75.828, 2392.613),
    (ARM + "warmup_0", 50, 2581.89, 2371.843, 4130.085, 2448.318, 2372.574, 3189.566, 322.854, 72.805, None),
    (ARM + "v3_int8_threads1", 50, 107.864, 103.620, 140.285, 104.763, 103.794, 120.060, 6.555, 71.407, 112.395),
    (OLD + "num_runs_1", 1, 9.318, 9.318, 9.318, None, None, None, None, 13.709, 17.033),
    (OLD + "peak_mem_interval", 104, 9.53802, 8.923, 10.545, None, None, None, 0.227, 19.060, 19.317),
    (OLD + "slow_over_1s", 2, 14731.1, 14471.796, 14990.390, None, None, None, 259.297, 0.715, 13267.215),
    (OLD + "warmup_0", 103, 9.62202, 9.181, 14.335, None, None, None, 0.640, 18.497, None),
    (OLD + "v2_fp32_opprof_xnnpack", 108, 9.24984, 8.888, 16.721, None, None, None, 0.845, 14.979, 13.706),
    (OLD + "two_signatures", 6886589, 7.12823e-05, None, 0.981, None, None, None, 0.0, 0.584, 0.011),
]  # fmt: skip

# log, init, overall, peak (2²⁰ bytes), model size (10⁶ bytes)
MEMORY = [
    (X86 + "v2_fp32_xnnpack_true", 28, 29.3828, None, 13.9175),
    (X86 + "peak_mem_interval", 27.8984, 29.2734, 43.8633, 13.9175),
    (X86 + "two_signatures", 0, 144.141, None, 0.001408),
    (X86 + "slow_over_1s", 0, 590.652, None, 10.1561),
    (ARM + "peak_mem", 37.1484, 40.5547, 58.7578, 13.9175),
    (OLD + "peak_mem_interval", 18.9023, 27.4023, 42.0586, 13.9175),
]

# log, delegate, fully, kernels, partitions
DELEGATION = [
    (X86 + "v2_fp32_xnnpack_true", "XNNPACK", True, 1, 1),
    (X86 + "int8_xnnpack_true_opprof", "XNNPACK", False, 1, 1),
    (X86 + "default_v2_fp32", "XNNPACK", None, None, None),
    (X86 + "v2_int8_xnnpack_false", None, None, None, None),
    (OLD + "int8_xnnpack_true_opprof", "XNNPACK", False, 0, 0),
    (OLD + "require_full_delegation_xnnpack_true", "XNNPACK", True, 1, 1),
]

# log, error, returncode, words of the message
FAILURES = [
    (X86 + "missing_file", ProgramFailedError, 1, "exit code 1: \"Could not open '/data/local/tmp"),
    (X86 + "empty_file", ProgramFailedError, 1, "Mmap of '3' at offset '0' failed"),
    (X86 + "garbage", ProgramFailedError, 1, "not a valid Flatbuffer"),
    (X86 + "help", ProgramFailedError, 1, "usage: benchmark_model <flags>"),
    (X86 + "bad_flag_value", ProgramFailedError, 1, "Failed to parse flag 'num_threads'"),
    (X86 + "flex_op_unresolved", ProgramFailedError, 1, "Select TensorFlow op(s)"),
    (X86 + "external_delegate_missing", ProgramFailedError, -11, "killed by SIGSEGV"),
    (X86 + "killed_sigterm", ProgramFailedError, -15, "SIGTERM: 'Running benchmark for at least 100000"),
    (X86 + "killed_sigint", ProgramFailedError, -2, "killed by SIGINT"),
    (X86 + "exec_missing_binary", ProgramFailedError, 127, "No such file"),
    (X86 + "exec_noexec_binary", ProgramFailedError, 126, "Permission denied"),
    (X86 + "exec_wrong_arch_noqemu", ProgramFailedError, 126, "Exec format error"),
    (X86 + "require_full_delegation_ok", ProgramFailedError, 1, "Disallowed CPU fallback"),
    (X86 + "oom_ulimit_30M", ProgramFailedError, 1, "failed to create XNNPACK runtime"),
    (ARM + "killed_sigkill", ProgramFailedError, -9, "memory runs out"),
    (ARM + "list_signatures", ProgramFailedError, 1, "-> Signature Key: b"),
    (ARM + "opprof_bad_mode", ProgramFailedError, 1, "Output modexml is not supported"),
    (OLD + "garbage", ProgramFailedError, 1, "Model provided has model identifier"),
    (OLD + "no_graph", ProgramFailedError, 1, "Please specify the name"),
    (OLD + "truncated_1k", ProgramFailedError, -11, "SIGSEGV"),
    (X86 + "unknown_flag", UnconsumedFlagsError, 0, "--no_such_flag=1"),
    (X86 + "positional_arg", UnconsumedFlagsError, 0, "Unconsumed cmdline flags: foo"),
    (X86 + "use_gpu", UnconsumedFlagsError, 0, "--use_gpu=true"),
    (OLD + "single_dash", UnconsumedFlagsError, 0, "-num_threads=1"),
    (OLD + "result_file", UnconsumedFlagsError, 0, "--result_file_path"),
    (X86 + "stdout_closed", IncompleteLogError, 0, "stops before the results"),
    (OLD + "stdout_closed", IncompleteLogError, 0, "stops before the results"),
]  # fmt: skip


def parse(case):
    return parse_log(case.stdout, case.stderr, case.returncode)


@pytest.mark.parametrize("row", LATENCIES, ids=lambda row: row[0])
def test_latencies_are_those_in_the_log(log_cases, row):
    key, *wanted, init_ms, first_ms = row
    log = parse(log_cases[key])
    summary = log.summary
    got = [summary.count, summary.mean_ms, summary.min_ms, summary.max_ms, summary.median_ms]
    got += [summary.p5_ms, summary.p95_ms, summary.std_ms]
    assert got == wanted
    assert log.first_ms == first_ms
    assert init_ms is None or log.init_ms == init_ms


@pytest.mark.parametrize("row", MEMORY, ids=lambda row: row[0])
def test_memory_and_model_size_are_those_in_the_log(log_cases, row):
    key, *wanted = row
    log = parse(log_cases[key])
    got = [log.init_mem_mb, log.overall_mem_mb, log.peak_mem_mb, log.model_size_mb]
    assert got == wanted


@pytest.mark.parametrize("row", DELEGATION, ids=lambda row: row[0])
def test_delegation(log_cases, row):
    key, *wanted = row
    log = parse(log_cases[key])
    got = [log.delegate, log.fully_delegated, log.delegate_kernels, log.partitions]
    assert got == wanted


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: row[0])
def test_failures_are_named_with_their_cause(log_cases, row):
    key, error, returncode, words = row
    assert log_cases[key].returncode == returncode
    with pytest.raises(error, match=re.escape(words)) as caught:
        parse(log_cases[key])
    assert type(caught.value) is error
    assert getattr(caught.value, "returncode", 0) == returncode


@pytest.mark.parametrize("key", [X86 + "num_runs_0", OLD + "num_runs_0", ARM + "dry_run"])
def test_no_runs_are_no_latency_and_no_error(log_cases, key):
    log = parse(log_cases[key])
    assert log.summary is None
    assert log.init_ms > 0
    assert (log.warmup is None) == (key == ARM + "dry_run")


def test_a_result_file_that_cannot_be_written_is_a_warning(log_cases):
    log = parse(log_cases[X86 + "result_file_bad"])
    assert log.warnings == ("'Failed to save benchmark result to: /nonexistent/x.pb'",)


def test_a_delegate_that_old_builds_lack_is_a_warning(log_cases):
    log = parse(log_cases[OLD + "nonexistent_delegate"])
    assert log.warnings == ("'NNAPI acceleration is unsupported on this platform.'",)


def test_every_log_gives_a_result_or_a_parse_error(log_case):
    try:
        log = parse(log_case)
    except ParseError as error:
        check_refusal(str(error), log_case)
        return
    assert log_case.returncode == 0
    assert "Unconsumed" not in log_case.text
    check_summary(log, log_case.text)
    check_profile(log, log_case.text)


def check_refusal(message, case):
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 500
    finished = case.returncode == 0 and "Inference (avg)" in case.text
    assert not finished or "Unconsumed" in case.text


def check_summary(log, text):
    """Compare with the closing line and the second count= line, found by other means."""
    said_us = float(re.findall(r"Inference \(avg\): (\S+)", text)[0])
    second = re.findall(r"^(?:INFO: )?count=(\d+)(.*)$", text, re.M)[1]
    assert (log.summary is None) == (said_us == 0)
    assert log.init_ms == pytest.approx(int(re.findall(r"Init: (\d+)", text)[0]) / 1e3)
    if log.summary:
        assert log.summary.count == int(second[0])
        assert log.summary.mean_ms * 1e3 == pytest.approx(said_us, rel=1e-5)
        median = re.findall(r"median=(\d+)", second[1])
        assert (log.summary.median_ms or 0) * 1e3 == pytest.approx(float((median or ["0"])[0]))
        assert log.summary.last_ms is None or f"curr={log.summary.last_ms * 1e3:.0f}" in second[1]


def check_profile(log, text):
    """Compare the rows' sum with the total printed below them, which the parser does not read."""
    totals = re.findall(r"^Timings \(microseconds\): count=(?:.*avg|\d+ curr)=(\S+)", text, re.M)
    observed = re.findall(r"^(\d+) nodes observed", text, re.M)
    if not totals:
        assert log.op_profile == log.init_op_profile == ()
        return
    for rows, total, count in zip(
        (log.init_op_profile, log.op_profile), totals, observed, strict=True
    ):
        assert len(rows) == int(count)
        spent_us = sum(row.avg_ms * row.times_called for row in rows) * 1e3
        assert spent_us == pytest.approx(float(total), rel=0.01, abs=60)
        assert sum(row.percent for row in rows) == pytest.approx(100, abs=0.2)


def test_the_archive_is_whole(log_cases):
    assert len(log_cases) == 177
    good = [case for case in log_cases.values() if "Inference (avg): " in case.text]
    assert len(good) > 100


def test_profile_rows_of_the_new_text_table(log_cases):
    rows = parse(log_cases[X86 + "int8_xnnpack_true_opprof"]).op_profile
    row = rows[2]
    assert row.node_type == "Fully Connected (NC, QS8, QC8W) GEMM"
    assert row.name == "Delegate/Fully Connected (NC, QS8, QC8W) GEMM:2"
    assert (row.first_ms, row.avg_ms, row.percent, row.mem_kb) == (0.055, 0.057, 1.807, 0)
    assert (row.times_called, row.start_ms, row.scope) == (1, None, "")
    assert [row.node_type for row in rows].count("Fully Connected (NC, QS8, QC8W) GEMM") > 20


def test_profile_rows_of_the_old_text_table(log_cases):
    log = parse(log_cases[OLD + "v2_fp32_opprof_xnnpack"])
    (row,) = log.op_profile
    assert (row.node_type, row.name) == ("TfLiteXNNPackDelegate", "[Identity]:65")
    assert (row.start_ms, row.first_ms, row.avg_ms) == (0.003, 9.060, 9.228)
    assert len(log.init_op_profile) == 2


def test_profile_rows_of_csv(log_cases):
    log = parse(log_cases[X86 + "opprof_csv_unwritable"])
    row = log.op_profile[4]
    assert row.node_type == "Fully Connected (NC, F32) GEMM"
    assert row.name == "Delegate/Fully Connected (NC, F32) GEMM:4"
    assert (row.first_ms, row.avg_ms, row.percent) == (0, 9.04159e-06, 0.000553781)
    assert log.init_op_profile[0].mem_kb == 14128


def test_streams_may_be_joined_in_either_place(log_case):
    """A caller who has everything on one stream learns the same."""
    results = []
    for stdout, stderr in (
        (log_case.stdout, log_case.stderr),
        (log_case.stdout + log_case.stderr, b""),
        (b"", log_case.stdout + log_case.stderr),
    ):
        try:
            results.append(parse_log(stdout, stderr, log_case.returncode).summary)
        except ParseError as error:
            results.append(type(error))
    assert results[0] == results[1] == results[2]
