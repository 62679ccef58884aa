"""Files that are written whole or not at all, and files of others, read without a surprise."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ghostdeploy.errors import GhostdeployError, InputFileError, OutputError, UsageError

MAX_TEXT_BYTES = 64_000_000  # of what a person or a tool wrote as text
CHUNK_BYTES = 1 << 20
# what a disk says that is full, over its quota or limit, or broken: no other path would help
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def open_input(path: Path) -> BinaryIO:
    """Open a file of others for reading.

    Raises InputFileError for what cannot be opened, and at once for what is no regular file: a
    pipe would block, and a device such as /dev/zero has no end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputFileError(f"{path}: {getattr(error, 'strerror', '') or error}") from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    what = "is a folder" if stat.S_ISDIR(mode) else "is not a regular file"
    raise InputFileError(f"{path}: {what}")


def check_input(path: Path) -> None:
    """Raise InputFileError as ``open_input`` does, for a library that opens ``path`` itself."""
    open_input(path).close()


def read_input(path: Path, most: int = MAX_TEXT_BYTES) -> bytes:
    """Return the content of a file of others, of at most ``most`` bytes.

    Raises InputFileError for a larger one, and as ``open_input`` does.
    """
    with open_input(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            data = b"" if size > most else _read_most(file, size, most)
        except OSError as error:
            raise InputFileError(f"{path}: {error.strerror or error}") from error
        except MemoryError as error:
            raise InputFileError(f"{path}: there is too little memory to read it") from error
    if max(size, len(data)) > most:
        raise InputFileError(f"{path}: larger than {most / 1e6:.0f} MB, too large for what it is")
    return data


def _read_most(file: BinaryIO, size: int, most: int) -> bytes:
    """Return up to ``most`` + 1 bytes of a file that says to be of ``size``; a few lie about that.

    Python makes room for all that is asked for, however little there is.
    """
    parts = [file.read(size + 1)]
    left = most + 1 - len(parts[0])
    while parts[-1] and left > 0:
        parts.append(file.read(min(left, CHUNK_BYTES)))
        left -= len(parts[-1])
    return b"".join(parts)


def read_text(path: Path, most: int = MAX_TEXT_BYTES) -> str:
    """Return the text of a file in UTF-8. Raises InputFileError as ``read_input`` does."""
    try:
        return read_input(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path} is not a text file in UTF-8") from error


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write ``path`` whole or not at all, making its folder where there is none.

    Half of a surrogate pair, as names of files may hold, is written as its escape. Raises
    UsageError where the folder cannot be written, and OutputError where it is full.
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
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
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


def cannot_write(path: Path, error: OSError) -> GhostdeployError:
    """Return the error for a file that cannot be written: OutputError where the disk is full."""
    kind = OutputError if error.errno in _DISK else UsageError
    return kind(f"cannot write {path}: {error.strerror or error}")


def ensure_writable(folder: Path) -> None:
    """Make ``folder`` and prove that it takes files. Raises UsageError where it does not."""
    probe = folder / f".{secrets.token_hex(8)}.probe"
    with _reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
    _remove(probe)


@contextlib.contextmanager
def _reporting(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
