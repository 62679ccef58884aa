"""Every exception that ghostdeploy raises on purpose.

GhostdeployError
├── UsageError            exit 2   the request makes no sense: an option, a spec, an input file
│   └── InputFileError             a file that is missing, damaged or of the wrong kind
├── MissingExtraError     exit 3   a package of an extra is not installed
├── CheckFailed           exit 1   the check ran and said no: parity, lint
├── ConversionError       exit 3   a converter failed; carries its log
├── MeasurementError      exit 3   nothing, or nothing usable, could be measured
└── OutputError           exit 3   a full disk, or standard output that is closed

Each message is one line that says what was wrong and what to do. Exit 0 is fine, 4 a bug
(anything not in this tree), 130 an interruption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class GhostdeployError(Exception):
    """The root; never raised itself. ``log`` names a file with more, where there is one."""

    exit_code = 4

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


class UsageError(GhostdeployError):
    """The request itself is wrong."""

    exit_code = 2


class InputFileError(UsageError):
    """A file is missing, damaged, or not what it should be."""


class MissingExtraError(GhostdeployError):
    """An optional package is absent: names the pip command that brings it."""

    exit_code = 3

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'ghostdeploy[{extra}]'")
        self.package, self.extra = package, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Return how to make it again: processes that export side by side send it to each other."""
        return type(self), (self.package, self.extra)


class CheckFailed(GhostdeployError):
    """A check gave the answer no."""

    exit_code = 1


class ConversionError(GhostdeployError):
    """A converter stopped, or made something that is not a model."""

    exit_code = 3


class MeasurementError(GhostdeployError):
    """No trustworthy number came out."""

    exit_code = 3


class OutputError(GhostdeployError):
    """A result could not be written where that is not the request's fault: the disk is full."""

    exit_code = 3


@contextmanager
def name_in_errors(path: Path) -> Iterator[None]:
    """Put ``path`` before the message of an error that comes of a model whose file is not known."""
    try:
        yield
    except (UsageError, ConversionError) as error:
        error.args = (f"{path}: {error}",)
        raise


# What onnxruntime puts before its reason: its status, and the place and function in its source.
_STATUS = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE = re.compile(r"/onnxruntime_src/\S+:\d+ .*?\)(?: const)? (?=\S)")


def error_line(error: object, most: int = 500) -> str:
    """Return the first line of what ``error`` says, at most ``most`` characters of it.

    A longer one loses its middle: a runtime's reason stands at the end. An exception that says
    nothing is told by the name of its class.
    """
    line = str(error).strip().split("\n", 1)[0].strip()
    line = _SOURCE.sub(" ", _STATUS.sub("", line)).strip() or type(error).__name__
    if len(line) <= most:
        return line
    half = (most - 3) // 2
    return f"{line[:half]} … {line[-half:]}"
