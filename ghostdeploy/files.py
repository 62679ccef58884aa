"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from ghostdeploy.errors import UsageError


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write ``path`` whole or not at all, making its folder where there is none.

    Raises UsageError where the folder cannot be written or is full.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, str | bytes]) -> None:
    """Write several files, none before all of them have found room on the disk.

    What stands in their places stays until then. Raises as ``write_atomic``.
    """
    with contextlib.ExitStack() as kept:
        written = [(path, _write_beside(path, content, kept)) for path, content in contents.items()]
        for path, temporary in written:
            with _reporting(path):
                os.replace(temporary, path)


def _write_beside(path: Path, content: str | bytes, kept: contextlib.ExitStack) -> Path:
    """Write to a temporary file beside ``path``; unless it is moved, it goes with ``kept``."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"  # short: PATH's own may be maximal
    with _reporting(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():  # known before anything is moved
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        kept.callback(_remove, temporary)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return temporary


def ensure_writable(folder: Path) -> None:
    """Make ``folder`` and prove that it takes files. Raises UsageError where it does not."""
    probe = folder / f".{secrets.token_hex(8)}.probe"
    write_atomic(probe, b"")
    _remove(probe)


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
