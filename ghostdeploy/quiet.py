"""Keep other libraries' chatter off the terminal and in a log."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ghostdeploy.errors import CheckFailed, OutputError, UsageError


@contextmanager
def capture_output() -> Iterator[Path]:
    """Send file descriptors 1 and 2 to a log while the block runs.

    TensorFlow and onnxruntime write there from C++, below Python's streams. The log goes when
    all is well, and where the error's own line says it all. Otherwise it stays, if anything is
    in it, and the error learns its name: ``log``.
    """
    handle, name = tempfile.mkstemp(prefix="ghostdeploy-", suffix=".log")
    log = Path(name)
    _flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        yield log
    except BaseException as error:
        _flush()
        if _tells_more(log, error):
            vars(error)["log"] = log
        else:
            log.unlink(missing_ok=True)
        raise
    else:
        log.unlink(missing_ok=True)
    finally:
        _flush()
        for descriptor, original in enumerate(saved, 1):
            os.dup2(original, descriptor)
            os.close(original)


def _tells_more(log: Path, error: BaseException) -> bool:
    """Return whether ``log`` adds to ``error``: not to Ctrl-C, nor to one that has a log."""
    if not isinstance(error, Exception) or isinstance(
        error, (UsageError, CheckFailed, OutputError)
    ):
        return False
    return getattr(error, "log", None) is None and log.exists() and log.stat().st_size > 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
