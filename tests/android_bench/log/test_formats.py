"""Formats of which there is no log at hand: made by the rules of the programs' sources."""

from __future__ import annotations

import pytest

from android_bench.errors import IncompleteLogError, ParseError, ProgramFailedError
from android_bench.log import lines
from android_bench.log.latencies import LoggedSummary
from android_bench.log.parse import parse_log

HEAD = "STARTING!\nLoaded model m.tflite\n"
WARMUP = "Running benchmark for at least 1 iterations\ncount=1 curr=146161\n\n"
REGULAR = (
    "Running benchmark for at least 50 iterations\n"
    "count=50 first=137789 curr=137254 min=137079 max=143416 avg=137722 std=896\n\n"
)
TIMINGS = (
    "Inference timings in us: Init: 4452, First inference: 146161, Warmup (avg): 146161,"
    " Inference (avg): 137722\n"
)
PLAIN = HEAD + WARMUP + REGULAR + TIMINGS
RESULTS = """INFO: [benchmark_litert_model.h:73] Model initialization: 12.34 ms
INFO: [benchmark_litert_model.h:74] Warmup (first):       9.10 ms
INFO: [benchmark_litert_model.h:76] Warmup (avg):         8.20 ms (61 runs)
INFO: [benchmark_litert_model.h:78] Inference (avg):      7.95 ms (50 runs)
INFO: [benchmark_litert_model.h:82] Inference (min):      7.70 ms
INFO: [benchmark_litert_model.h:84] Inference (max):      8.41 ms
INFO: [benchmark_litert_model.h:86] Inference (std):      0.12
INFO: [benchmark_litert_model.h:96] No throughput data available (throughput <= 0).
INFO: [benchmark_litert_model.h:103] \nMemory Usage:
INFO: [benchmark_litert_model.h:104] Init footprint:       20.25 MB
INFO: [benchmark_litert_model.h:106] Overall footprint:    31.50 MB
INFO: [benchmark_litert_model.h:111] Peak memory:          44.00 MB
"""
OPENED = "INFO: [benchmark_litert_model.h:72] \n========== BENCHMARK RESULTS ==========\n"
CLOSED = "INFO: [benchmark_litert_model.h:117] ======================================\n\n"


def parse(text, stderr="", returncode=0):
    return parse_log(text.encode(), stderr.encode(), returncode)


def test_builds_of_2018_call_the_timings_otherwise():
    old = "Average inference timings in us: Warmup: 146161, Init: 4452, no stats: 137722\n"
    log = parse(HEAD + "Initialized session in 4.452ms\n" + WARMUP + REGULAR + old)
    assert (log.summary.mean_ms, log.init_ms, log.first_ms) == (137.722, 4.452, None)


def test_peak_memory_line_until_2021():
    log = parse(PLAIN + "Peak memory footprint (MB): init=4.92969 overall=138.809\n")
    assert (log.init_mem_mb, log.overall_mem_mb, log.peak_mem_mb) == (4.92969, 138.809, None)


@pytest.mark.parametrize("percentiles", ["", " p5=12 median=12 p95=12"])
def test_equal_samples(percentiles):
    line = f"count=3 curr=12(all same){percentiles}\n"
    timings = TIMINGS.replace("137722", "12")
    summary = parse(HEAD + WARMUP + line + timings).summary
    assert (summary.count, summary.mean_ms, summary.min_ms, summary.max_ms) == (3, *[0.012] * 3)
    assert summary.median_ms == (0.012 if percentiles else None)


def test_logcat_prefixes():
    prefix = "05-30 15:16:44.857  3380  3380 I tflite  : "
    text = "".join(prefix + line + "\n" for line in PLAIN.splitlines())
    assert parse(text) == parse(PLAIN)
    assert parse(text.replace(prefix, "I/tflite ( 3380): ")) == parse(PLAIN)


def test_windows_line_ends():
    text = PLAIN + BANNER + table(ADD, NAN)
    assert parse(text.replace("\n", "\r\n")) == parse(text)


def test_litert_block_alone():
    log = parse("", OPENED + RESULTS + CLOSED)
    assert log.summary == LoggedSummary(50, 7.95, min_ms=7.70, max_ms=8.41, std_ms=0.12)
    assert log.warmup == LoggedSummary(61, 8.20)
    assert (log.init_ms, log.first_ms) == (12.34, 9.10)
    assert (log.init_mem_mb, log.overall_mem_mb, log.peak_mem_mb) == (20.25, 31.50, 44.00)
    assert log.warnings == ()


def test_litert_block_gives_way_to_the_finer_count_lines():
    counts = (
        "INFO: count=61 first=9101 curr=8000 min=7900 max=9101 avg=8203.1 std=90 p5=1 median=1"
        " p95=1\n".replace("p5=1 median=1 p95=1", "p5=7950 median=8100 p95=8900")
        + "INFO: count=50 first=7800 curr=8000 min=7700 max=8410 avg=7951.2 std=120 p5=7710"
        " median=7949 p95=8300\n"
    )
    log = parse(counts, OPENED + RESULTS + CLOSED)
    assert (log.summary.mean_ms, log.summary.median_ms) == (7.9512, 7.949)
    with pytest.raises(ParseError, match="contradicted"):
        parse(counts.replace("avg=7951.2", "avg=7991.2"), OPENED + RESULTS + CLOSED)


def test_litert_inference_line_alone_is_enough():
    assert parse("Inference (avg):      7.95 ms (50 runs)\n").summary == LoggedSummary(50, 7.95)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (OPENED + RESULTS, IncompleteLogError),
        (OPENED, IncompleteLogError),
        (RESULTS.replace("7.95 ms", "7.95 us"), ParseError),
        (RESULTS.replace("7.95 ms", "0.00 ms"), ParseError),
        (RESULTS.replace("7.95 ms", "-7.95 ms"), ParseError),
        (RESULTS.replace("7.95 ms (50 runs)", "7.95 ms"), ParseError),
        (RESULTS.replace("7.95 ms", "70.95 ms"), ParseError),
        (RESULTS + RESULTS, ParseError),
    ],
)
def test_litert_block_that_cannot_be_trusted(text, error):
    with pytest.raises(error):
        parse(text)


def test_litert_block_without_runs():
    text = RESULTS.replace("7.95 ms (50 runs)", "0.00 ms (0 runs)")
    lines = [line for line in text.splitlines(True) if "(m" not in line and "(std" not in line]
    assert parse("".join(lines)).summary is None


DELEGATE_LINES = [
    ("Explicitly applied GPU delegate, and the model graph will be partially executed by the"
     " delegate w/ 20 delegate kernels.", ("GPU", False, 20, 20)),
    ("Replacing 273 out of 273 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1"
     " partitions for subgraph 0 (main).", ("TfLiteXNNPackDelegate", True, 1, 1)),
    ("INFO: Replacing 31 out of 66 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 5"
     " partitions for the whole graph.", ("TfLiteNnapiDelegate", False, None, 5)),
    ("Replacing 31 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 3 partitions.",
     ("TfLiteGpuDelegateV2", False, None, 3)),
    ("Replacing 3 out of 5 node(s) with delegate (D) node, yielding 1 partitions.",
     ("D", False, None, 1)),
    ("Replacing 3 out of 3 node(s) with delegate (D) node, yielding 1 partitions for subgraph 1.",
     (None, None, None, None)),
    ("Created TensorFlow Lite delegate for GPU.", (None, None, None, None)),
    ("INFO: TfLiteFlexDelegate delegate: 76 nodes delegated out of 5623 nodes with 51 partitions.",
     ("TfLiteFlexDelegate", False, 51, 51)),
    ("Hexagon delegate: 12 nodes delegated out of 12 nodes with 1 partitions.",
     ("Hexagon", True, 1, 1)),
    ("76 nodes delegated out of 5623 nodes with 51 partitions", (None, False, 51, 51)),
    ("my words: 76 nodes delegated out of 5623 nodes with 51 partitions",
     (None, None, None, None)),
]  # fmt: skip


def replace(nodes, delegate, partitions):
    return (
        f"Replacing {nodes} node(s) with delegate ({delegate}) node, yielding {partitions}"
        " partitions.\n"
    )


def test_of_several_delegates_the_last_is_named_and_none_has_the_whole_graph():
    """Each divides what the one before it left: only the last line counts all pieces."""
    log = parse(PLAIN, replace("20 out of 30", "Gpu", 5) + replace("4 out of 15", "XNNPack", 7))
    got = (log.delegate, log.fully_delegated, log.delegate_kernels, log.partitions)
    assert got == ("XNNPack", False, None, 7)
    log = parse(PLAIN, replace("30 out of 30", "Gpu", 1) + replace("1 out of 2", "XNNPack", 2))
    got = (log.delegate, log.fully_delegated, log.delegate_kernels, log.partitions)
    assert got == ("XNNPack", False, None, 2)
    created = "INFO: Created TensorFlow Lite {} delegate for {}.\n"
    log = parse(PLAIN, created.format("Hexagon", "DSP") + created.format("XNNPACK", "CPU"))
    assert (log.delegate, log.fully_delegated) == ("XNNPACK", None)


def test_of_several_verdicts_the_last_counts_but_for_one_that_is_whole():
    applied = "Explicitly applied {} delegate, and the model graph will be {} by the delegate{}\n"
    some = applied.format("GPU", "partially executed", " w/ 20 delegate kernels.")
    fewer = applied.format("XNNPACK", "partially executed", " w/ 2 delegate kernels.")
    whole = applied.format("Hexagon", "completely executed", ".")
    for text, wanted in (
        (some + fewer, ("XNNPACK", False, 2)),
        (fewer + some, ("GPU", False, 20)),
        (some + whole + fewer, ("Hexagon", True, 1)),
    ):
        log = parse(PLAIN, text)
        assert (log.delegate, log.fully_delegated, log.delegate_kernels) == wanted


def test_a_delegates_own_count_gives_way_to_the_runtimes():
    own = (
        "INFO: TfLiteXNNPackDelegate delegate: 2 nodes delegated out of 2 nodes with 1 partitions."
    )
    whole = "Replacing 2 out of 2 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1"
    log = parse(PLAIN, f"{own}\n{whole} partitions.\n")
    assert (log.fully_delegated, log.partitions) == (True, 1)
    two = parse(PLAIN, f"{own}\nA delegate: 1 nodes delegated out of 3 nodes with 1 partitions.\n")
    assert (two.delegate, two.fully_delegated) == ("A", False)


@pytest.mark.parametrize(("line", "wanted"), DELEGATE_LINES)
def test_delegate_lines(line, wanted):
    log = parse(PLAIN, line + "\n")
    got = (log.delegate, log.fully_delegated, log.delegate_kernels, log.partitions)
    assert got == wanted


def test_the_tools_verdict_comes_with_the_runtimes_partitions():
    log = parse(PLAIN, "\n".join(line for line, _ in DELEGATE_LINES[:1] + DELEGATE_LINES[2:3]))
    assert log.partitions == 20  # the last line lacks its newline: it may be cut
    log = parse(PLAIN, "\n".join(line for line, _ in DELEGATE_LINES[:1] + DELEGATE_LINES[2:4]))
    assert (log.delegate, log.delegate_kernels, log.partitions) == ("GPU", 20, 5)


@pytest.mark.parametrize(
    "line",
    [
        "count=50 first=137789 curr=137254 min=137079 max=143416 avg=137722",
        "count=50 first=137789 curr=137254 min=137079 max=143416 avg=nan std=896",
        "count=50 first=137789 curr=137254 min=137079 max=143416 avg=1e999 std=896",
        "count=50 first=137789 curr=137254 min=137079 max=143416 avg=1,5 std=896",
        "count=50 first=137789 curr=137254 min=143416 max=137079 avg=137722 std=896",
        "count=50 first=137789 curr=137254 min=137079 max=143416 avg=137722 std=896 p5=137100",
        "count=50 first=137789 curr=137254 min=137079 min=1 max=143416 avg=137722 std=896",
        "count=50 first=137789 curr=137254 min=-9 max=143416 avg=137722 std=896",
        "count=50 first=137789 curr=137254 min=-1 max=143416 avg=137722 std=896",
        "count=50 first=9 curr=137254 min=137079 max=143416 avg=137722 std=896",
        "count=-50 first=137789 curr=137254 min=137079 max=143416 avg=137722 std=896",
        "count=50 curr=0(all same)",
        "count=1 curr=-5",
        "count=1 5",
        "count=",
        "count=٣ curr=5",  # digits, but not the program's
    ],
)
def test_a_broken_count_line_is_quoted(line):
    text = PLAIN.replace(REGULAR.splitlines()[1], line)
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.line == ascii(line)


def test_a_standard_deviation_lost_to_rounding_is_none():
    for lost in ("-9223372036854775808", "-1"):
        assert parse(PLAIN.replace("std=896", f"std={lost}")).summary.std_ms is None


def test_unknown_keys_of_newer_builds_do_no_harm():
    assert parse(PLAIN.replace("std=896", "std=896 p99=143000")) == parse(PLAIN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN + PLAIN, "two launches"),
        (HEAD + PLAIN, "starts twice"),
        (PLAIN.replace("137722", "143500"), "one series"),
        (PLAIN + REGULAR, "two launches"),
        (PLAIN + TIMINGS, "two launches"),
        (PLAIN.replace("Inference (avg): 137722", "Inference (avg): 13772"), "contradicted"),
        (PLAIN.replace("Warmup (avg): 146161", "Warmup (avg): 14616"), "contradicted"),
        (PLAIN.replace(", Inference (avg): 137722", ""), "not all there"),
        (PLAIN + "FATAL: abort\n", "fatal"),
        (HEAD + WARMUP, "stops before the results"),
        ("", "nothing at all"),
        ("usage: benchmark_model\n", "usage"),
        (PLAIN + "Memory footprint delta from the start of the tool (MB): init=1\n", "overall"),
        (PLAIN + "The input model file size (MB): x\n", "not a number"),
        (PLAIN + "The input model file size (MB): \n", "not a number"),
        (PLAIN + "Peak memory:  44.00 kB\n", "is no size in MB"),
        (PLAIN + "Peak memory:  44.00 MB more\n", "is no size in MB"),
    ],
)
def test_logs_that_cannot_be_trusted(text, words):
    with pytest.raises(ParseError, match=words):
        parse(text)


def test_timings_cut_off_are_noticed():
    whole = PLAIN.rstrip("\n")
    assert parse(whole) == parse(f"\n{whole}") == parse(PLAIN)
    with pytest.raises(ParseError):
        parse(whole[:-3])


def test_a_last_line_without_its_end_is_not_read():
    line = "Overall peak memory footprint (MB) via periodic monitoring: 43.8633"
    assert parse(PLAIN + line + "\n").peak_mem_mb == 43.8633
    assert parse(PLAIN + line[:-5]).peak_mem_mb is None


def test_failure_without_a_usable_exit_code():
    with pytest.raises(ProgramFailedError, match="Could not open"):
        parse("STARTING!\n", "ERROR: Could not open 'x'.\nERROR: Benchmarking failed.\n")


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(137, "SIGKILL"), (-9, "SIGKILL"), (139, "SIGSEGV"), (132, "SIGILL"), (255, "exit code 255")],
)
def test_exit_codes(returncode, words):
    with pytest.raises(ProgramFailedError, match=words) as caught:
        parse(PLAIN, returncode=returncode)
    assert caught.value.returncode == returncode


def test_no_results_but_a_complaint():
    with pytest.raises(IncompleteLogError, match="not found"):
        parse("", "/system/bin/sh: ./benchmark_model: not found\n")
    with pytest.raises(IncompleteLogError, match="complains: 'no memory'"):
        parse("STARTING!\n", "ERROR: no memory\nINFO: Created a delegate.\n")


def test_size_is_bounded():
    with pytest.raises(ParseError, match="stdout holds 16777217 bytes; a log has at most 16777216"):
        parse_log(b" " * (16 * 2**20 + 1), b"", 0)
    with pytest.raises(ParseError, match="stderr holds more than 200000 lines"):
        parse_log(b"", b"\n" * 200_001, 0)
    with pytest.raises(ParseError, match="more than 1000 tables"):
        parse(PLAIN + BANNER + RULE.format("Run Order") * 1001)
    with pytest.raises(IncompleteLogError, match="stops within a table"):
        parse(PLAIN + BANNER + RULE.format("Run Order") * 1000)


@pytest.mark.parametrize(
    ("limit", "size"), [("MAX_BYTES", len(PLAIN)), ("MAX_LINES", PLAIN.count("\n"))]
)
def test_a_log_may_be_as_large_as_the_limit_itself(monkeypatch, limit, size):
    monkeypatch.setattr(lines, limit, size)
    assert parse(PLAIN).summary.count == 50
    monkeypatch.setattr(lines, limit, size - 1)
    with pytest.raises(ParseError, match="stdout holds"):
        parse(PLAIN)


def test_a_long_line_is_quoted_in_part():
    with pytest.raises(ParseError) as caught:
        parse(PLAIN.replace("count=50", "count=" + "\x1b\u20ac" * 10_000))
    assert len(str(caught.value)) < 3000
    assert str(caught.value).isascii()


TITLES = "\t[node type]\t[first]\t[avg ms]\t[%]\t[cdf%]\t[mem KB]\t[times called]\t[Name]\n"
BANNER = "Operator-wise Profiling Info for Regular Benchmark Runs:\n"
RULE = "============================== {} ==============================\n"
END = "Number of nodes executed: {}\n\nTimings (microseconds): count=1 curr=2\n{} nodes observed\n"


def table(*rows, count=None):
    body = "".join(f"\t{row}\n" for row in rows)
    n = len(rows) if count is None else count
    return RULE.format("Run Order") + TITLES + body + "\n" + END.format(n, n)


ADD = "ADD\t0.001\t0.002\t50.0%\t50.0%\t0.000\t1\tadd:0"
NAN = "MUL\t0.000\t0.000\t-nan%\t-nan%\t0.000\t3\tmul:1"


def test_profile_of_subgraphs_and_delegates():
    text = (
        "Primary graph (name: main) profile:\n" + table(ADD) + "Subgraph (index: 1, name: body)"
        " profile:\n" + table(ADD, NAN) + "Delegate internal: \n" + table(NAN)
    )
    rows = parse(PLAIN + BANNER + text).op_profile
    assert [row.scope for row in rows] == [
        "", *["Subgraph (index: 1, name: body)"] * 2, "Delegate internal",
    ]  # fmt: skip
    assert rows[2].percent is None
    assert rows[2].times_called == 3


def test_a_profile_that_stops_in_its_second_table():
    cut = table(ADD).partition("Timings")[0]
    with pytest.raises(IncompleteLogError, match="the op profile stops before its end") as caught:
        parse(PLAIN + BANNER + table(ADD) + cut)
    assert caught.value.line == "'Number of nodes executed: 1'"
    with pytest.raises(IncompleteLogError, match="the op profile stops within a table") as caught:
        parse(PLAIN + BANNER + cut.partition("\n\n")[0] + "\n")
    assert caught.value.line == ascii(f"\t{ADD}")
    assert len(parse(PLAIN + BANNER + table(ADD) + table(NAN)).op_profile) == 2


def test_a_shorter_rule_is_no_title_of_a_table():
    assert parse(PLAIN + table(ADD).replace("=" * 30, "=" * 29)).op_profile == ()


def test_profile_without_banner_is_of_the_runs():
    assert len(parse(PLAIN + table(ADD)).op_profile) == 1


@pytest.mark.parametrize(
    "text",
    [
        BANNER + table(ADD, count=2),
        BANNER + table("ADD\t0.001\t0.002"),
        BANNER + table(ADD.replace("0.002", "x")),
        BANNER + table(ADD.replace("0.002", "-1")),
        BANNER + table(ADD.replace("ADD", "")),
        BANNER + table(ADD).replace("[avg ms]", "[avg us]"),
        BANNER + table(ADD).split("Number of")[0],
        BANNER + RULE.format("Run Order") + TITLES + f"\t{ADD}\n",
        BANNER + RULE.format("Run Order"),
        BANNER + table(ADD) + BANNER + table(ADD),
        BANNER + table(ADD).replace("\t", ", "),
    ],
)
def test_profiles_that_cannot_be_trusted(text):
    with pytest.raises(ParseError):
        parse(PLAIN + text)


def test_a_message_of_the_runtime_within_a_table():
    text = BANNER + table(ADD, NAN).replace(f"\t{NAN}", f"WARNING: hot\n\t{NAN}")
    log = parse(PLAIN + text)
    assert len(log.op_profile) == 2
    assert log.warnings == ("'hot'",)
