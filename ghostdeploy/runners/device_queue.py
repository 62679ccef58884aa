"""One gate at a time on a device: the others of this machine wait in line.

The lock is flock(2)'s: the kernel gives it back however its holder ends. It knows this machine
only; a phone that two machines share is guarded by its runner's own lock, on the phone.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
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
                holder = _holder(handle)
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
    try:
        return Path(tempfile.gettempdir()) / FOLDER / f"{name}.lock"
    except OSError:
        raise MeasurementError(
            "there is no usable temporary folder for the device's lock: free some space, or name"
            " one in $TMPDIR"
        ) from None


def _open(path: Path) -> int:
    """Open the lock's file; any user's will do, as flock needs no right to write.

    Others may write where it lies: neither the folder nor the file may be a link to elsewhere.
    Raises UsageError for what is none of ours.
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path.parent)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with contextlib.suppress(OSError):  # another user's
                os.fchmod(folder, 0o1777)
            handle = _open_in(folder, path.name)
        finally:
            os.close(folder)
    except OSError as error:
        link = path.parent.is_symlink() or path.is_symlink()
        why = "it is a symbolic link; remove it" if link else error.strerror or error
        raise UsageError(f"cannot lock {path}: {why}") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(handle)
        raise UsageError(f"cannot lock {path}: it is no file of ours; remove it")
    return handle


def _open_in(folder: int, name: str) -> int:
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO would wait for its other end
    with contextlib.suppress(PermissionError, FileNotFoundError):
        return os.open(name, os.O_RDWR | flags, dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):
        return os.open(name, os.O_RDONLY | flags, dir_fd=folder)
    return os.open(name, os.O_RDWR | os.O_CREAT | flags, 0o644, dir_fd=folder)


def _holder(handle: int) -> str:
    with contextlib.suppress(OSError):
        said = os.pread(handle, 60, 0).decode("utf-8", "replace").strip()
        return said if said.isprintable() and said else "another process"
    return "another process"
