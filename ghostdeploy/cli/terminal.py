"""What commands print: progress lines, JSON, text or a file."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import click

JSON_HELP = "Print the result as JSON, for machines."
T = TypeVar("T")


class Progress:
    """A line that is rewritten on a terminal; plain lines, one a step, in a log."""

    def __init__(self) -> None:
        # A copy of standard error: what libraries write there is captured meanwhile.
        self._out = os.fdopen(_copy_of(2), "w", buffering=1, errors="replace")
        self._live = self._out.isatty()
        self._start = time.monotonic()
        self._last = self._told = ""

    def __call__(self, done: int, total: int, text: str) -> None:
        elapsed = time.monotonic() - self._start
        line = f"[{done}/{total}] {text}"
        if self._live:
            width = max(20, os.get_terminal_size(self._out.fileno()).columns - 8)
            self._out.write(f"\r\x1b[K{line[:width]} {elapsed:.0f}s")
        elif line != self._last:
            self._out.write(f"{line}\n")
        self._last = line

    def tell(self, text: str) -> None:
        """Something worth knowing meanwhile, such as what is waited for; "" is nothing."""
        if not text or text == self._told:
            return
        self._told = text
        self._out.write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def close(self) -> None:
        if self._live and self._last:
            self._out.write("\r\x1b[K")
        self._out.close()


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # closed by the caller, as in 2>&-
        return os.open(os.devnull, os.O_WRONLY)


def emit_json(value: object) -> None:
    """One JSON document on standard output; null for infinity and NaN, which JSON has not."""
    click.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def with_progress(work: Callable[[Progress], T]) -> T:
    """Run ``work`` with a progress line that is gone afterwards, whatever happened."""
    progress = Progress()
    try:
        return work(progress)
    finally:
        progress.close()


def print_or_write(text: str, out: Path | None) -> None:
    from ghostdeploy.files import write_atomic

    if out is None:
        return click.echo(text.rstrip("\n"))
    write_atomic(out, text)
    click.echo(f"wrote {out}")


def stamp() -> str:
    """Now, for file names: DATE-TIME in UTC."""
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
