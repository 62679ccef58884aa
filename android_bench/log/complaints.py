"""Find what speaks against a log: exit codes, signals, ignored flags, messages of the program."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from android_bench.errors import ParseError, ProgramFailedError, UnconsumedFlagsError
from android_bench.log.lines import LogLine, quote_line, select_lines

MAX_WARNINGS = 20
SHELL_SIGNAL_BASE = 128  # a shell reports death by signal n as 128 + n
_UNCONSUMED = "Unconsumed cmdline flags"
_COMPLAINING = frozenset({"WARN", "WARNING", "ERROR"})
_FAILED = "Benchmarking failed."
_HINTS = {
    "SIGKILL": "; the system does so when memory runs out",
    "SIGILL": "; the program uses instructions that this processor lacks",
    "SIGSEGV": "; is the model file damaged?",
}


def check_exit(stdout: Sequence[LogLine], stderr: Sequence[LogLine], returncode: int) -> None:
    """Raise ProgramFailedError unless the program ended by itself with exit code 0."""
    if returncode == 0 and not select_lines([*stdout, *stderr], _FAILED):
        return
    raise ProgramFailedError(_describe(returncode), _reason(stdout, stderr), returncode=returncode)


def _describe(returncode: int) -> str:
    name = _signal_name(returncode)
    if name:
        return f"the program was killed by {name}{_HINTS.get(name, '')}"
    if returncode == 126:
        return "the program cannot be executed here (exit code 126): wrong file mode or processor"
    if returncode == 127:
        return "the program or its loader was not found (exit code 127)"
    return f"the program failed with exit code {returncode}"


def _signal_name(returncode: int) -> str | None:
    number = -returncode if returncode < 0 else returncode - SHELL_SIGNAL_BASE
    if not 0 < number < 65:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _reason(stdout: Sequence[LogLine], stderr: Sequence[LogLine]) -> str:
    """Quote the first complaint, which causes those after it; else the last thing said."""
    spoken = [line for line in (*stderr, *stdout) if _tells(line)]
    errors = [line for line in spoken if line.level in ("ERROR", "FATAL")]
    plain = [line for line in stderr if not line.level and _tells(line)]
    for lines in (errors, plain, spoken[-1:]):
        if lines:
            return quote_line(lines[0])
    return ""


def _tells(line: LogLine) -> bool:
    return bool(line.text.strip()) and line.text != _FAILED


def check_flags(lines: Sequence[LogLine]) -> None:
    """Raise UnconsumedFlagsError if the program ignored a flag, which it does with exit code 0."""
    ignored = select_lines(lines, _UNCONSUMED)
    if ignored:
        raise UnconsumedFlagsError(
            "the program measured without flags that it does not know; leave them out or take"
            " a build that has them",
            quote_line(ignored[0]),
        )


def check_single(lines: Sequence[LogLine]) -> None:
    """Raise ParseError for the log of two launches, and for one that reports a fatal error."""
    starts = [line for line in lines if line.text.strip() == "STARTING!"]
    if len(starts) > 1:
        raise ParseError(
            "the program starts twice: the log is of two launches", quote_line(starts[1])
        )
    fatal = [line for line in lines if line.level == "FATAL"]
    if fatal:
        raise ParseError("a fatal error, in spite of exit code 0", quote_line(fatal[0]))


def find_warnings(stdout: Sequence[LogLine], stderr: Sequence[LogLine]) -> tuple[str, ...]:
    """Quote the complaints that left the results whole, at most MAX_WARNINGS of them.

    Builds of 2022 print no severity: there each bare line of stderr counts, and some of stdout.
    """
    complaints = [line for line in stdout if line.level in _COMPLAINING or _complains(line)]
    block = select_lines(stderr, "========== BENCHMARK RESULTS")
    levels = _COMPLAINING if block else _COMPLAINING | {""}
    complaints += [line for line in stderr if line.level in levels and line.text.strip()]
    return tuple(quote_line(line) for line in complaints[:MAX_WARNINGS])


def _complains(line: LogLine) -> bool:
    old = not line.level
    return old and (
        line.text.startswith(("Failed ", "Duplicate flags")) or "is unsupported on" in line.text
    )
