"""Every gate leaves one line of JSON behind, and the trend is drawn from them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.files import cannot_write, ensure_writable, read_input
from ghostdeploy.typed_json import decode

HISTORY = Path("reports/gate-history.jsonl")
MAX_BYTES = 200_000_000


def check_history(path: Path) -> None:
    """Make sure that a line can be added. Raises as append_run does, and writes none."""
    if not path.exists():
        return ensure_writable(path.parent)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise UsageError(f"cannot write {path}: it is {what}; name a file with --history")
    if not os.access(path, os.W_OK):
        raise UsageError(f"cannot write {path}: {os.strerror(errno.EACCES)}")


def append_run(path: Path, run: GateRun) -> None:
    """Add a line to the log, whole or not at all as far as readers can tell.

    Raises UsageError where it cannot be written, and OutputError where the disk is full.
    """
    line = json.dumps(asdict(run), allow_nan=False).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell() and not _ends_a_line(file.fileno()):
                line = b"\n" + line  # a line that a crash cut short stays alone
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def read_history(path: Path) -> tuple[list[GateRun], int]:
    """Read the runs in order, and count the lines that are none.

    Raises InputFileError where no line is one.
    """
    lines = [line for line in read_input(path, MAX_BYTES).splitlines() if line.strip()]
    runs, first = [], ""
    for line in lines:
        try:
            runs.append(decode(path, GateRun, json.loads(line)))
        except (ValueError, RecursionError):
            first = first or f"{path}: not JSON lines"
        except InputFileError as error:
            first = first or str(error)
    if not runs:
        raise InputFileError(first or f"{path}: holds no gate yet")
    return runs, len(lines) - len(runs)


def read_past_runs(path: Path) -> list[GateRun]:
    """Read the runs for a caller that can do without: a missing or damaged log tells nothing."""
    try:
        return read_history(path)[0]
    except InputFileError:
        return []


def find_last_run(runs: Sequence[GateRun], name: str, device: str) -> GateRun | None:
    """Return the latest run of the gate called ``name``, None where it never ran."""
    return next((r for r in reversed(runs) if (r.name, r.device) == (name, device)), None)


def _ends_a_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, 1, size - 1) == b"\n"
