"""What speaks against a log, by the words of shells, kernels and the program's builds."""

from __future__ import annotations

import signal

import pytest

from android_bench.errors import ParseError, ProgramFailedError, UnconsumedFlagsError
from android_bench.log.complaints import MAX_WARNINGS
from android_bench.log.lines import MAX_QUOTE, quote
from android_bench.log.parse import parse_log

COUNTS = (
    "count=1 curr=9000\n\n"
    "count=50 first=8000 curr=8000 min=7700 max=8410 avg=7950 std=120\n\n"
    "Inference timings in us: Init: 4452, First inference: 9000, Warmup (avg): 9000,"
    " Inference (avg): 7950\n"
)


def parse(stdout: str = COUNTS, stderr: str = "", returncode: int = 0):
    return parse_log(stdout.encode(), stderr.encode(), returncode)


@pytest.mark.parametrize(
    ("returncode", "said"),
    [
        (1, "the program failed with exit code 1"),
        (125, "the program failed with exit code 125"),
        (126, "the program cannot be executed here (exit code 126)"),
        (127, "the program or its loader was not found (exit code 127)"),
        (128, "the program failed with exit code 128"),
        (129, "the program was killed by SIGHUP"),
        (-1, "the program was killed by SIGHUP"),
        (137, "the program was killed by SIGKILL; the system does so when memory runs out"),
        (-11, "the program was killed by SIGSEGV; is the model file damaged?"),
        (192, f"the program was killed by {signal.Signals(64).name}"),
        (193, "the program failed with exit code 193"),
        (-65, "the program failed with exit code -65"),
        (-32, "the program was killed by signal 32"),
    ],
)
def test_exit_codes_of_shells_and_of_python(returncode: int, said: str) -> None:
    with pytest.raises(ProgramFailedError) as caught:
        parse(returncode=returncode)
    assert str(caught.value).startswith(said)
    assert caught.value.returncode == returncode


@pytest.mark.parametrize(
    ("stdout", "stderr", "cause"),
    [
        ("ERROR: first\nERROR: second\n", "INFO: fine\n", "first"),
        ("", "ERROR: here\nplain\n", "here"),
        ("FATAL: dead\n", "", "dead"),
        ("INFO: last words\n", "linker: no library\nmore\n", "linker: no library"),
        ("INFO: one\nINFO: two\nINFO: three\n", "", "three"),
        ("ERROR: why\nERROR: Benchmarking failed.\n", "", "why"),
    ],
)
def test_the_first_complaint_is_the_cause(stdout: str, stderr: str, cause: str) -> None:
    with pytest.raises(ProgramFailedError) as caught:
        parse(stdout, stderr, 1)
    assert caught.value.line == repr(cause)


def test_a_failure_that_says_nothing() -> None:
    with pytest.raises(ProgramFailedError) as caught:
        parse("", "\n \n", 1)
    assert not caught.value.line


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_flags_that_are_ignored_are_no_measurement(stream: str) -> None:
    line = "WARN: Unconsumed cmdline flags: --use_x=true\n"
    with pytest.raises(UnconsumedFlagsError, match="does not know"):
        parse(COUNTS + line if stream == "stdout" else COUNTS, line if stream == "stderr" else "")


def test_two_starts_and_a_fatal_line_are_refused() -> None:
    assert parse(f"STARTING!\n{COUNTS}").summary.count == 50
    with pytest.raises(ParseError, match="starts twice"):
        parse(f"STARTING!\nSTARTING!\n{COUNTS}")
    with pytest.raises(ParseError, match="a fatal error, in spite of exit code 0") as caught:
        parse(COUNTS, "FATAL: dead\nFATAL: a consequence\n")
    assert caught.value.line == "'dead'"


def test_of_a_line_that_comes_twice_the_second_is_quoted() -> None:
    again = "Inference timings in us: Warmup (avg): 1, Inference (avg): 2"
    with pytest.raises(ParseError, match="this line twice: is it of two launches") as caught:
        parse(f"{COUNTS}{again}\n")
    assert caught.value.line == repr(again)
    third = "count=1 curr=5"
    with pytest.raises(ParseError, match="a third count= line") as caught:
        parse(f"{COUNTS}{third}\n")
    assert caught.value.line == repr(third)


def test_warnings_are_complaints_that_left_the_results_whole() -> None:
    stdout = (
        f"{COUNTS}WARN: hot\nINFO: fine\nFailed to open x.\nDuplicate flags: a\n"
        "GPU is unsupported on this\nINFO: Failed quietly\n"
    )
    stderr = "bare words\n\nERROR: odd\nVERBOSE: chatter\n"
    assert parse(stdout, stderr).warnings == (
        "'hot'",
        "'Failed to open x.'",
        "'Duplicate flags: a'",
        "'GPU is unsupported on this'",
        "'bare words'",
        "'odd'",
    )


def test_warnings_are_so_many_and_so_long() -> None:
    many = "".join(f"WARN: number {n}\n" for n in range(MAX_WARNINGS + 5))
    assert len(parse(COUNTS + many).warnings) == MAX_WARNINGS == 20
    assert quote("x" * MAX_QUOTE) == repr("x" * 160)
    assert quote("x" * (MAX_QUOTE + 1)) == ascii("x" * 159 + "…")


def test_bare_lines_beside_litert_s_block_are_its_own() -> None:
    block = (
        "\n========== BENCHMARK RESULTS ==========\nInference (avg): 7.95 ms (50 runs)\nbare\n"
        "======================================\n"
    )
    assert parse("", block).warnings == ()
    assert parse("", f"{block}WARNING: hot\n").warnings == ("'hot'",)


def test_the_first_of_several_ignored_flags_is_quoted() -> None:
    lines = [f"WARN: Unconsumed cmdline flags: --{name}=1" for name in "ab"]
    with pytest.raises(UnconsumedFlagsError) as caught:
        parse(COUNTS + "\n".join(lines) + "\n")
    assert caught.value.line == "'Unconsumed cmdline flags: --a=1'"


def test_a_log_that_stops_quotes_the_last_line_or_the_first_complaint() -> None:
    with pytest.raises(ParseError) as caught:
        parse("STARTING!\nLoaded model m.tflite\nINFO: Created a delegate.\n\n")
    assert caught.value.line == "'Created a delegate.'"
    with pytest.raises(ParseError, match="complains: 'first'"):
        parse("STARTING!\nERROR: first\nERROR: second\n")


@pytest.mark.parametrize("word", ["=5", "curr", "curr=5 curr=6"])
def test_words_that_are_no_pairs_are_not_understood(word: str) -> None:
    with pytest.raises(ParseError, match="is not understood"):
        parse(COUNTS.replace("curr=9000", word, 1))


@pytest.mark.parametrize(
    ("line", "init_ms"),
    [("Initialized session in 4.452ms", 4.452), ("Initialized session in 3 ms.", 3.0), ("", None)],
)
def test_builds_of_2018_tell_the_initialization_by_a_line_of_its_own(line, init_ms) -> None:
    old = COUNTS.replace("Init: 4452, ", "")
    assert parse(f"{line}\n{old}").init_ms == init_ms
    with pytest.raises(ParseError, match="a duration in ms is missing"):
        parse(f"Initialized session in 4.452 s\n{old}")
