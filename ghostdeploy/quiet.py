"""Keep other libraries' chatter off the terminal and in a log."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ghostdeploy.errors import GhostdeployError


@contextmanager
def captured() -> Iterator[Path]:
    """Send file descriptors 1 and 2 to a log while the block runs.

    TensorFlow and onnxruntime write there from C++, below Python's streams. The log goes when
    all is well; when the block raises it stays, and a GhostdeployError learns its name.
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
    except GhostdeployError as error:
        _flush()
        if error.log is None and log.stat().st_size:
            error.log = log
        raise
    except KeyboardInterrupt:
        log.unlink(missing_ok=True)
        raise
    else:
        log.unlink(missing_ok=True)
    finally:
        _flush()
        for descriptor, original in enumerate(saved, 1):
            os.dup2(original, descriptor)
            os.close(original)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
