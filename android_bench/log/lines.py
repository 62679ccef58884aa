"""Split bytes into log lines and read numbers off text, for all parsers of the log."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from android_bench.errors import ParseError

MAX_BYTES = 16 * 2**20  # a log with --verbose and --print_preinvoke_state=true is 42 kB
MAX_LINES = 200_000
MAX_QUOTE = 160
LEVELS = frozenset({"VERBOSE", "INFO", "WARN", "WARNING", "ERROR", "FATAL"})
_LOGCAT_LEVELS = {
    "V": "VERBOSE", "D": "VERBOSE", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL",
}  # fmt: skip

# adb logcat -v threadtime or brief, of the benchmark app
_LOGCAT = re.compile(
    r"(?:[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} {1,9}[0-9]{1,9} {1,9}[0-9]{1,9} )?"
    r"([VDIWEF])[ /]tflite {0,9}(?:\( {0,9}[0-9]{1,9}\))? {0,2}: ?"
)
_SOURCE = re.compile(r"\[[A-Za-z0-9_.-]{1,80}:[0-9]{1,6}\] ")  # LiteRT's own logger adds it
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_COUNT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class LogLine:
    """A line comes without its severity prefix; ``level`` is "" where the build prints none.

    ``ended`` is False for a last line without a newline: it may have been cut anywhere.
    """

    level: str
    text: str
    ended: bool


def quote(text: str) -> str:
    """Quote ``text`` as a printable ASCII literal of bounded length, fit for a message."""
    return ascii(text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…")


def read_lines(data: bytes, stream: str) -> tuple[LogLine, ...]:
    """Split one stream into lines; bytes that are no UTF-8 become U+FFFD.

    Raises ParseError for more than MAX_BYTES or MAX_LINES.
    """
    if len(data) > MAX_BYTES:
        raise ParseError(f"{stream} holds {len(data)} bytes; a log has at most {MAX_BYTES}")
    if data.count(b"\n") > MAX_LINES:
        raise ParseError(f"{stream} holds more than {MAX_LINES} lines; no log does")
    parts = data.split(b"\n")
    lines = [_read_line(part, ended=True) for part in parts[:-1]]
    if parts[-1].strip():
        lines.append(_read_line(parts[-1], ended=False))
    return tuple(lines)


def _read_line(raw: bytes, *, ended: bool) -> LogLine:
    level, text = _split_level(raw.rstrip(b"\r").decode("utf-8", "replace"))
    source = _SOURCE.match(text)
    return LogLine(level, text[source.end() :] if source else text, ended)


def _split_level(text: str) -> tuple[str, str]:
    head, colon, rest = text.partition(": ")
    if colon and head in LEVELS:
        return head, rest
    logcat = _LOGCAT.match(text)
    if logcat:
        return _LOGCAT_LEVELS[logcat.group(1)], text[logcat.end() :]
    return "", text


def select_lines(lines: Iterable[LogLine], *prefixes: str) -> list[LogLine]:
    """Select the lines whose text begins with one of the prefixes."""
    return [line for line in lines if line.text.startswith(prefixes)]


def find_only(lines: Iterable[LogLine], *prefixes: str) -> LogLine | None:
    """Find the one line that begins so; None if there is none.

    Raises ParseError for two: then the log is of more than one launch.
    """
    found = select_lines(lines, *prefixes)
    if len(found) > 1:
        raise ParseError(
            "the log holds this line twice: is it of two launches?", quote_line(found[1])
        )
    return found[0] if found else None


def quote_line(line: LogLine) -> str:
    """Quote the line for a message."""
    return quote(line.text)


def quote_last(lines: Iterable[LogLine]) -> str:
    """Quote the last line that says something, for a message."""
    spoken = [line for line in lines if line.text.strip()]
    return quote_line(spoken[-1]) if spoken else "nothing at all"


def to_number(text: str, line: LogLine) -> float:
    """Read a finite decimal number, maybe with an exponent. Raises ParseError."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ParseError(f"{quote(text)} is not a number", quote_line(line))
    return value


def to_amount(text: str, line: LogLine) -> float:
    """Read a number that is not negative. Raises ParseError."""
    value = to_number(text, line)
    if value < 0:
        raise ParseError(f"{quote(text)} is negative", quote_line(line))
    return value


def to_count(text: str, line: LogLine) -> int:
    """Read a whole number that is not negative. Raises ParseError."""
    if not _COUNT.fullmatch(text):
        raise ParseError(f"{quote(text)} is not a count", quote_line(line))
    return int(text)


def to_pairs(words: Iterable[str], line: LogLine) -> dict[str, str]:
    """Read ``key=value`` words into a dict. Raises ParseError for other words and repeated keys."""
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals) or key in pairs:
            raise ParseError(f"{quote(word)} is not understood", quote_line(line))
        pairs[key] = value
    return pairs
