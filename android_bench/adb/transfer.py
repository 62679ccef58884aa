"""Push and pull, each file verified by its checksum on the phone."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, normpath
from secrets import token_hex
from typing import TYPE_CHECKING

from android_bench.adb import failures as adb_failures
from android_bench.adb.text import quote
from android_bench.errors import (
    AdbError,
    DamagedTransferError,
    NoSpaceError,
    OptionError,
    PermissionDeniedError,
    RemoteFileError,
    TransferError,
)

if TYPE_CHECKING:
    from android_bench.adb.connection import Adb

_ATTEMPTS = 2
_CHUNK = 1 << 20
# a phone whose storage is filled to the last block misbehaves in other ways
_SPARE_BYTES = 1 << 20
# hashing reads the file from slow storage: 10 MB/s is pessimistic
_HASH_BYTES_PER_S = 10_000_000
_MIN_TIMEOUT_S = 30.0
_NONCE_BYTES = 4
_ANY_NONCE = "[0-9a-f]" * 2 * _NONCE_BYTES
_DIGEST_NAMES = {64: "sha256", 40: "sha1", 32: "md5"}

# Android 6 has no sha256sum. Reading from stdin keeps the name, and its escapes, out of the output.
_DIGEST = """
f={path}
if [ -d "$f" ]; then echo folder; exit; fi
if [ ! -e "$f" ]; then echo absent; exit; fi
if [ ! -r "$f" ]; then echo denied; exit; fi
{{ sha256sum <"$f" || sha1sum <"$f" || md5sum <"$f"; }} 2>/dev/null
exit 0
"""


@dataclass(frozen=True)
class _Source:
    """A local file: ``size`` in bytes and hex digests by name."""

    path: Path
    size: int
    digests: dict[str, str]

    def matches(self, digest: str) -> bool:
        return self.digests.get(_DIGEST_NAMES.get(len(digest), "")) == digest


def _read_source(path: Path) -> _Source:
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in _DIGEST_NAMES.values()}
    size = 0
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            size += len(data)
            for each in hashes.values():
                each.update(data)
    return _Source(path, size, {name: each.hexdigest() for name, each in hashes.items()})


def push(adb: Adb, local: Path, remote: str, mode: int, timeout_s: float) -> bool:
    """See ``Adb.push``."""
    _check_remote(remote)
    source = _read_source(local)
    found = _digest(adb, remote, source.size)
    if found == "folder":
        raise _remote_error(adb, f"{remote} is a folder on {adb.serial}; name the file, too")
    if source.matches(found):
        _shell(adb, f"chmod {mode:o} {quote(remote)}")
        return False
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _push_once(adb, source, remote, mode, timeout_s)
            return True
        except AdbError as error:
            if attempt == _ATTEMPTS or not _worth_repeating(adb, error):
                raise
            adb.wait_back(error)
    raise AssertionError("not reached")


def _worth_repeating(adb: Adb, error: AdbError) -> bool:
    return isinstance(error, DamagedTransferError) or adb.may_pass(error)


def _push_once(adb: Adb, source: _Source, remote: str, mode: int, timeout_s: float) -> None:
    _prepare(adb, source, remote)
    # adbd unlinks its target first, so the name itself must not be pushed to
    partial = f"{remote}.tmp.{token_hex(_NONCE_BYTES)}"
    try:
        _send(adb, source, partial, timeout_s)
        _shell(adb, f"chmod {mode:o} {quote(partial)} && mv -f {quote(partial)} {quote(remote)}")
    except BaseException:
        with suppress(AdbError):
            adb.shell(["rm", "-f", partial])
        raise


def _prepare(adb: Adb, source: _Source, remote: str) -> None:
    folder = dirname(remote)
    leftovers = f"{quote(remote)}.tmp.{_ANY_NONCE}"
    said = _shell(adb, f"mkdir -p {quote(folder)} && rm -f {leftovers} && df -k {quote(folder)}")
    free = _free_bytes(said)
    if free is not None and free < source.size + _SPARE_BYTES:
        raise NoSpaceError(
            f"{source.path.name} needs {source.size / 1e6:.1f} MB, but {adb.serial} has"
            f" {free / 1e6:.1f} MB free in {folder}; free some space on the phone",
            stdout=said.encode(),
            serial=adb.serial,
        )


def _free_bytes(df: str) -> int | None:
    """The free space in what ``df -k`` printed; None for a format that is not known."""
    columns = re.search(r"\s\d+\s+\d+\s+(\d+)\s+\d+%\s", df)
    return int(columns[1]) * 1024 if columns else None


def _send(adb: Adb, source: _Source, partial: str, timeout_s: float) -> None:
    # not --sync: it compares only times. "1 file pushed" is printed for failures, too.
    result = adb.client.run(
        ["push", os.path.abspath(source.path), partial], timeout_s, serial=adb.serial
    )
    if result.returncode:
        raise adb_failures.transfer(result, adb.serial)
    found = _digest(adb, partial, source.size)
    if found in ("", "denied"):
        raise TransferError(
            f"{adb.serial} has none of sha256sum, sha1sum and md5sum, so that nothing pushed can be"
            " verified; use a phone with Android 6 or newer",
            serial=adb.serial,
        )
    if not source.matches(found):
        raise _damaged(adb, source.path.name)


def pull(adb: Adb, remote: str, local: Path, timeout_s: float) -> None:
    """See ``Adb.pull``."""
    _check_remote(remote)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _pull_once(adb, remote, local, timeout_s)
        except AdbError as error:
            if attempt == _ATTEMPTS or not _worth_repeating(adb, error):
                raise
            adb.wait_back(error)


def _pull_once(adb: Adb, remote: str, local: Path, timeout_s: float) -> None:
    expected = _digest(adb, remote)
    _check_found(adb, remote, expected)
    partial = local.with_name(f".{local.name}.tmp.{token_hex(4)}")
    try:
        result = adb.client.run(
            ["pull", remote, os.path.abspath(partial)], timeout_s, serial=adb.serial
        )
        if result.returncode:
            raise adb_failures.transfer(result, adb.serial)
        if expected and not _read_source(partial).matches(expected):
            raise _damaged(adb, remote)
        os.replace(partial, local)
    finally:
        partial.unlink(missing_ok=True)


def _check_found(adb: Adb, remote: str, digest: str) -> None:
    if digest == "absent":
        raise _remote_error(adb, f"{remote} does not exist on {adb.serial}")
    if digest == "folder":
        raise _remote_error(adb, f"{remote} is a folder on {adb.serial}, not a file")
    if digest == "denied":
        raise PermissionDeniedError(
            f"the shell user of {adb.serial} may not read {remote}; read another file, or use"
            " a folder below /data/local/tmp",
            serial=adb.serial,
        )


def _digest(adb: Adb, remote: str, size: int = 0) -> str:
    """The file's hex digest on the phone, or "absent", "folder", "denied"; "" if it cannot tell."""
    timeout_s = max(_MIN_TIMEOUT_S, size / _HASH_BYTES_PER_S)
    words = adb.shell(_DIGEST.format(path=quote(remote)), timeout_s).text.split()
    return words[0] if words else ""


def _shell(adb: Adb, command: str) -> str:
    result = adb.shell(command)
    if result.returncode:
        said = adb_failures.on_device(result, command, adb.serial)
        raise said or adb.failed(command, result)
    return result.text


def _check_remote(remote: str) -> None:
    if not remote.startswith("/") or remote.endswith("/") or normpath(remote) != remote:
        raise OptionError(
            f"{remote!r} is no full path of a file on a phone, like /data/local/tmp/x"
        )
    quote(remote)


def _remote_error(adb: Adb, message: str) -> RemoteFileError:
    return RemoteFileError(message, serial=adb.serial)


def _damaged(adb: Adb, name: str) -> DamagedTransferError:
    return DamagedTransferError(
        f"{name} was damaged on its way from or to {adb.serial}: its checksum differs; try another"
        " cable or USB port",
        serial=adb.serial,
    )
