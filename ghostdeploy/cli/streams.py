"""Standard output and error as a command writes them: a full disk or a closed pipe is no bug.

Standard output that cannot be written is told, and one whose reader has seen enough ends the
command in peace. Standard error has nobody to tell it to: what cannot be written is dropped.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ghostdeploy.errors import OutputError


class ReaderGone(Exception):
    """The reader of standard output, head or less, has seen enough."""


class _Output(io.FileIO):
    """A descriptor that fails once: what its buffers still hold is dropped afterwards."""

    failed = False

    def write(self, data: object) -> int:
        """Write ``data``. Raises ReaderGone for a closed pipe and OutputError for all else."""
        if self.failed:
            return _size(data)
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError as error:
            self.failed = True
            raise ReaderGone from error
        except OSError as error:
            self.failed = True
            reason = error.strerror or error
            raise OutputError(f"cannot write to standard output: {reason}") from error


class _Unheard(io.FileIO):
    """A descriptor that may be closed or full without a word."""

    def write(self, data: object) -> int:
        """Write ``data``, if that is possible."""
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError:
            return _size(data)


def open_unheard(descriptor: int) -> TextIO:
    """Open a descriptor for lines that nobody need hear; closing it closes the descriptor."""
    return _text(_Unheard(descriptor, "w"), line_buffering=True)


@contextmanager
def guard_streams() -> Iterator[None]:
    """Let standard output and error behave as this file says while the block runs.

    Raises what writing raises where buffered output cannot be written at the end.
    """
    _fill_descriptors()
    before = sys.stdout, sys.stderr
    if sys.stdout is sys.__stdout__:  # else a test or a notebook has its own
        sys.stdout = _text(_Output(1, "w", closefd=False), line_buffering=_is_terminal(1))
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Unheard(2, "w", closefd=False), line_buffering=True)
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout, sys.stderr = before


def _fill_descriptors() -> None:
    """Open 0, 1 and 2 where the caller closed them: the next file would get the number.

    Writing to a closed standard output must fail, and so does writing to one opened for reading.
    """
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


def _text(raw: io.FileIO, *, line_buffering: bool) -> TextIO:
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, "replace", line_buffering=line_buffering
    )


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _size(data: object) -> int:
    return memoryview(data).nbytes  # type: ignore[arg-type]
