"""One gate at a time on a device: the others of this machine wait in line.

The lock is flock(2)'s: the kernel gives it back however its holder ends. It knows this machine
only; a phone that two machines share is guarded by its runner's own lock, on the phone.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ghostdeploy.errors import MeasurementError, UsageError

FOLDER = "ghostdeploy-locks"
POLL_S = 0.5


@contextlib.contextmanager
def hold_device(
    device: str, wait_s: float, waiting: Callable[[str], None] = lambda holder: None
) -> Iterator[None]:
    """Hold ``device``, by the name it was asked for, as soon as it is free.

    ``waiting`` is told the holder, once, if there is one. Raises MeasurementError where it was
    not free in ``wait_s``.
    """
    import fcntl

    path = _path(device)
    handle = _open(path)
    try:
        deadline, told = time.monotonic() + wait_s, False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                holder = _holder(path)
                if time.monotonic() >= deadline:
                    raise MeasurementError(
                        f"{device} is in use by {holder}, for over {wait_s:g} s: wait for it,"
                        " or raise --wait"
                    ) from None
                if not told:
                    waiting(holder)
                    told = True
                time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
        with contextlib.suppress(OSError):  # a note for those who wait; the lock is the lock
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _path(device: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", device).strip(".-")[:100] or "device"
    return Path(tempfile.gettempdir()) / FOLDER / f"{name}.lock"


def _open(path: Path) -> int:
    """Open the lock's file; any user's will do, as flock needs no right to write."""
    try:
        path.parent.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            path.parent.chmod(0o1777)
        flags = os.O_NOFOLLOW | os.O_CLOEXEC
        with contextlib.suppress(PermissionError, FileNotFoundError):
            return os.open(path, os.O_RDWR | flags)
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | flags)
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o644)
    except OSError as error:
        raise UsageError(f"cannot lock {path}: {error.strerror or error}") from error


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")[:60].strip() or "another process"
    return "another process"
