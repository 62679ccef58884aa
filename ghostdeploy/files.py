"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ghostdeploy.errors import GhostdeployError, OutputError, UsageError

# what a disk says that is full, over its quota or limit, or broken: no other path would help
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write ``path`` whole or not at all, making its folder where there is none.

    Half of a surrogate pair, as names of files may hold, is written as its escape. Raises
    UsageError where the folder cannot be written, and OutputError where it is full.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"  # short: PATH's own may be maximal
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _remove_on_failure(temporary), open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with _remove_on_failure(temporary):
            os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> GhostdeployError:
    """Return the error for a file that cannot be written: OutputError where the disk is full."""
    kind = OutputError if error.errno in _DISK else UsageError
    return kind(f"cannot write {path}: {error.strerror or error}")


def ensure_writable(folder: Path) -> None:
    """Make ``folder`` and prove that it takes files. Raises UsageError where it does not."""
    probe = folder / f".{secrets.token_hex(8)}.probe"
    write_atomic(probe, b"")
    with contextlib.suppress(OSError):
        probe.unlink()


@contextlib.contextmanager
def _remove_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
