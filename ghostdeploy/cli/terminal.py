"""What commands print: progress lines, JSON, text or a file."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone
from pathlib import Path

import click

from ghostdeploy.cli.streams import open_unheard


class ProgressLine:
    """A line that is rewritten on a terminal; plain lines, one for each step, in a log."""

    def __init__(self) -> None:
        # A copy of standard error: what libraries write there is captured meanwhile.
        self._out = open_unheard(_copy_of(2))
        self._live = self._out.isatty()
        self._start = time.monotonic()
        self._done = 0
        self._last = self._told = ""

    def __call__(self, done: int, total: int, text: str) -> None:
        """Show a step: ``done`` of ``total`` are behind, ``text`` comes next."""
        if done < self._done:  # another piece of work, with a time of its own
            self._start = time.monotonic()
        self._done = done
        elapsed = time.monotonic() - self._start
        line = f"[{done}/{total}] {text}"
        if self._live:
            width = max(20, os.get_terminal_size(self._out.fileno()).columns - 8)
            self._out.write(f"\r\x1b[K{line[:width]} {elapsed:.0f}s")
        elif line != self._last:
            self._out.write(f"{line}\n")
        self._last = line

    def tell(self, text: str) -> None:
        """Show what is worth knowing meanwhile, such as what is waited for; "" is nothing."""
        if not text or text == self._told:
            return
        self._told = text
        self._out.write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def close(self) -> None:
        """Remove the line from the terminal."""
        if self._live and self._last:
            self._out.write("\r\x1b[K")
        self._out.close()


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # closed by the caller, as in 2>&-
        return os.open(os.devnull, os.O_WRONLY)


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


@contextmanager
def progress_line() -> Iterator[ProgressLine]:
    """Show progress while the block runs; the line is gone afterwards, whatever happened."""
    line = ProgressLine()
    try:
        yield line
    finally:
        line.close()


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
