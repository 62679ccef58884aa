"""What commands print: progress, tables and text, JSON or a file."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ghostdeploy.cli.pace import Pace, format_clock
from ghostdeploy.cli.streams import open_unheard
from ghostdeploy.report.parts.clean_text import clean, shorten_to_width

if TYPE_CHECKING:
    from rich.console import RenderableType

ERASE = "\r\x1b[K"
TICK_S = 1.0  # the clock of a progress line; more often would disturb what is measured
MAX_LINE = 2000  # characters
COLORS = ("auto", "always", "never")
_chosen = "auto"  # by --color, for the whole process


def choose_color(choice: str) -> None:
    """Set what ``--color`` asks for, one of COLORS, for all that is printed from now on."""
    global _chosen
    _chosen = choice


def wants_color(stream: TextIO) -> bool:
    """Tell whether to colour what goes to ``stream``.

    ``--color`` goes first, then $NO_COLOR (https://no-color.org) and $FORCE_COLOR, where they are
    not empty; else a terminal that is not dumb has colours.
    """
    if _chosen != "auto":
        return _chosen == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def show(*parts: RenderableType) -> None:
    """Print what rich draws, as wide as the terminal; without one, plain and a line each."""
    from rich.console import Group

    from ghostdeploy.report.parts.layout import UNWRAPPED, render

    width = terminal_width() if sys.stdout.isatty() else UNWRAPPED
    color = wants_color(sys.stdout)
    click.echo(render(Group(*parts), width, color=color), nl=False, color=color)


def say(line: str) -> None:
    """Print one line that is never wrapped, so that a path in it can be copied."""
    click.echo(clean(line, MAX_LINE))


def show_error(label: str, text: str) -> None:
    """Print one line on standard error, its label in red; ``text`` may quote a file or a server."""
    color, line = wants_color(sys.stderr), clean(text, MAX_LINE)
    click.echo(f"{click.style(f'{label}:', fg='red', bold=True)} {line}", err=True, color=color)


def terminal_width() -> int:
    """Return the terminal's columns; $COLUMNS, where it is set, goes first."""
    return max(20, shutil.get_terminal_size().columns)


class ProgressLine:
    """A line whose clock ticks, on a terminal; plain lines, one for each step, in a log.

    What is done never recedes on it, whatever it is told. That it cannot be shown, as on a full
    disk or for a reader who has gone, is no reason to end the work.
    """

    def __init__(self) -> None:
        # A copy of standard error: what libraries write there is captured meanwhile.
        self._out = open_unheard(_copy_of(2))
        self._color = wants_color(self._out)
        self._pace = Pace(time.monotonic())
        self._step_s = self._pace.begun_s
        self._text = self._told = self._logged = ""
        self._lock, self._end = threading.Lock(), threading.Event()
        self._clock: threading.Thread | None = None
        if self._out.isatty() and os.environ.get("TERM") != "dumb":
            self._clock = threading.Thread(target=self._tick, daemon=True, name="progress")
            self._clock.start()

    def __call__(self, done: int, total: int, text: str) -> None:
        """Show a step: ``done`` of ``total`` are behind, ``text`` comes next."""
        now_s, text = time.monotonic(), clean(text, MAX_LINE)
        with self._lock:
            self._pace.advance(now_s, min(1.0, done / total) if total > 0 else 0.0)
            if text != self._text:
                self._text, self._step_s = text, now_s
            self._write()

    def tell(self, text: str) -> None:
        """Show what is worth knowing meanwhile, such as what is waited for; "" is nothing."""
        if not text or text == self._told:
            return
        self._told = text
        with self._lock:
            self._put(f"{ERASE if self._clock else ''}{clean(text, MAX_LINE)}\n")
            if self._clock and self._text:
                self._write()

    def close(self) -> None:
        """Remove the line from the terminal."""
        self._end.set()
        if self._clock:
            self._clock.join()
            self._put(ERASE)
        with suppress(OSError):
            self._out.close()

    def _tick(self) -> None:
        while not self._end.wait(TICK_S):
            with self._lock:
                if self._text:
                    self._write()

    def _write(self) -> None:
        percent = f"{int(100 * self._pace.share):3d} %"
        if self._clock:
            return self._put(ERASE + self._line(percent, time.monotonic()))
        line = f"[{percent}] {self._text}"
        if line != self._logged:
            self._put(f"{line}\n")
        self._logged = line

    def _put(self, text: str) -> None:
        with suppress(OSError):
            self._out.write(text)
            self._out.flush()

    def _line(self, percent: str, now_s: float) -> str:
        """Return the terminal's line; the middle of a text that is too long is left out."""
        left_s = self._pace.left_s(now_s)
        left = "" if left_s is None else f", about {format_clock(left_s)} left"
        step, all_s = format_clock(now_s - self._step_s), now_s - self._pace.begun_s
        tail = f" {step}  ({format_clock(all_s)} in all{left})"
        room = _columns_of(self._out) - len(percent) - len(tail) - 3
        text = shorten_to_width(self._text, max(10, room))
        if not self._color:
            return f"{percent}  {text}{tail}"
        return f"{click.style(percent, fg='cyan')}  {text}{click.style(tail, dim=True)}"


def _columns_of(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # closed by the caller, as in 2>&-
        return os.open(os.devnull, os.O_WRONLY)


@contextmanager
def progress_line() -> Iterator[ProgressLine]:
    """Show progress while the block runs; the line is gone afterwards, whatever happened."""
    line = ProgressLine()
    try:
        yield line
    finally:
        line.close()


def emit_json(value: object) -> None:
    """Print one JSON document, with null for infinity and NaN, which JSON has not."""
    click.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def print_or_write(text: str, out: Path | None) -> None:
    """Print ``text``, or write it to ``out`` and say so."""
    from ghostdeploy.files import write_atomic

    if out is None:
        return click.echo(text.rstrip("\n"))
    write_atomic(out, text)
    click.echo(f"wrote {out}")


def stamp() -> str:
    """Return the date and time of now in UTC, for file names."""
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
