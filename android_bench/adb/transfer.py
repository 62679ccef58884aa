"""Push and pull files, each verified by its checksum on the phone."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, normpath
from secrets import token_hex

from android_bench.adb.connection import PhoneConnection
from android_bench.adb.digest import file_digests
from android_bench.adb.failures import find_file_error, find_transfer_error
from android_bench.adb.patience import repeat_patiently
from android_bench.adb.text import quote_word
from android_bench.errors import (
    AdbError,
    DamagedTransferError,
    NoSpaceError,
    OptionError,
    PermissionDeniedError,
    RemoteFileError,
    TransferError,
)

TRANSFER_TIMEOUT_S = 600.0
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
    """A file on this machine has a size in bytes, and hex digests by name."""

    path: Path
    size: int
    digests: dict[str, str]

    def matches(self, digest: str) -> bool:
        return self.digests.get(_DIGEST_NAMES.get(len(digest), "")) == digest


def _read_source(path: Path) -> _Source:
    digests = file_digests(path, _DIGEST_NAMES.values())
    return _Source(path, path.stat().st_size, digests)


def push_file(
    phone: PhoneConnection, local: Path, remote: str, mode: int, timeout_s: float
) -> bool:
    """Put a local file on the phone under its full path, with the permissions ``mode``.

    Returns False if it was there already. Each try may take ``timeout_s``. Raises OptionError for
    what is no full path, OSError for the local file, the TransferErrors and the other AdbErrors.
    """
    _check_remote(remote)
    source = _read_source(local)
    found = _digest(phone, remote, source.size)
    if found == "folder":
        raise _remote_error(phone, f"{remote} is a folder on {phone.serial}; name the file, too")
    if source.matches(found):
        _shell(phone, f"chmod {mode:o} {quote_word(remote)}")
        return False
    repeat_patiently(
        phone,
        lambda: _push_once(phone, source, remote, mode, timeout_s),
        phone.patience.also_after(DamagedTransferError),
    )
    return True


def _push_once(
    phone: PhoneConnection, source: _Source, remote: str, mode: int, timeout_s: float
) -> None:
    _prepare(phone, source, remote)
    # adbd unlinks its target first, so the name itself must not be pushed to
    partial = f"{remote}.tmp.{token_hex(_NONCE_BYTES)}"
    try:
        _send(phone, source, partial, timeout_s)
        new, old = quote_word(partial), quote_word(remote)
        _shell(phone, f"chmod {mode:o} {new} && mv -f {new} {old}")
    except BaseException:
        with suppress(AdbError):
            phone.shell(["rm", "-f", partial])
        raise


def _prepare(phone: PhoneConnection, source: _Source, remote: str) -> None:
    folder = dirname(remote)
    quoted, leftovers = quote_word(folder), f"{quote_word(remote)}.tmp.{_ANY_NONCE}"
    said = _shell(phone, f"mkdir -p {quoted} && rm -f {leftovers} && df -k {quoted}")
    free = _free_bytes(said)
    if free is not None and free < source.size + _SPARE_BYTES:
        raise NoSpaceError(
            f"{source.path.name} needs {source.size / 1e6:.1f} MB, but {phone.serial} has"
            f" {free / 1e6:.1f} MB free in {folder}; free some space on the phone",
            stdout=said.encode(),
            serial=phone.serial,
        )


def _free_bytes(df: str) -> int | None:
    """Read the free bytes off what ``df -k`` printed; None for a format that is not known."""
    columns = re.search(r"\s\d+\s+\d+\s+(\d+)\s+\d+%\s", df)
    return int(columns[1]) * 1024 if columns else None


def _send(phone: PhoneConnection, source: _Source, partial: str, timeout_s: float) -> None:
    # not --sync: it compares only times. "1 file pushed" is printed for failures, too.
    result = phone.client.run(
        ["push", os.path.abspath(source.path), partial], timeout_s, serial=phone.serial
    )
    if result.returncode:
        raise find_transfer_error(result, phone.serial)
    found = _digest(phone, partial, source.size)
    if found in ("", "denied"):
        raise TransferError(
            f"{phone.serial} has none of sha256sum, sha1sum and md5sum, so that nothing pushed can"
            " be verified; use a phone with Android 6 or newer",
            serial=phone.serial,
        )
    if not source.matches(found):
        raise _damaged(phone, source.path.name)


def pull_file(phone: PhoneConnection, remote: str, local: Path, timeout_s: float) -> None:
    """Fetch a file from the phone to ``local``, which appears complete or not at all.

    Each try may take ``timeout_s``. Raises as ``push_file`` does.
    """
    _check_remote(remote)
    repeat_patiently(
        phone,
        lambda: _pull_once(phone, remote, local, timeout_s),
        phone.patience.also_after(DamagedTransferError),
    )


def _pull_once(phone: PhoneConnection, remote: str, local: Path, timeout_s: float) -> None:
    expected = _digest(phone, remote)
    _check_found(phone, remote, expected)
    partial = local.with_name(f".{local.name}.tmp.{token_hex(4)}")
    try:
        result = phone.client.run(
            ["pull", remote, os.path.abspath(partial)], timeout_s, serial=phone.serial
        )
        if result.returncode:
            raise find_transfer_error(result, phone.serial)
        if expected and not _read_source(partial).matches(expected):
            raise _damaged(phone, remote)
        os.replace(partial, local)
    finally:
        partial.unlink(missing_ok=True)


def _check_found(phone: PhoneConnection, remote: str, digest: str) -> None:
    if digest == "absent":
        raise _remote_error(phone, f"{remote} does not exist on {phone.serial}")
    if digest == "folder":
        raise _remote_error(phone, f"{remote} is a folder on {phone.serial}, not a file")
    if digest == "denied":
        raise PermissionDeniedError(
            f"the shell user of {phone.serial} may not read {remote}; read another file, or use"
            " a folder below /data/local/tmp",
            serial=phone.serial,
        )


def _digest(phone: PhoneConnection, remote: str, size: int = 0) -> str:
    """Ask for the file's hex digest, or "absent", "folder", "denied"; "" if it is not told."""
    timeout_s = max(_MIN_TIMEOUT_S, size / _HASH_BYTES_PER_S)
    words = phone.shell(_DIGEST.format(path=quote_word(remote)), timeout_s).text.split()
    return words[0] if words else ""


def _shell(phone: PhoneConnection, command: str) -> str:
    result = phone.shell(command)
    if result.returncode:
        said = find_file_error(result, command, phone.serial)
        raise said or phone.explain_failure(command, result)
    return result.text


def _check_remote(remote: str) -> None:
    if not remote.startswith("/") or remote.endswith("/") or normpath(remote) != remote:
        raise OptionError(
            f"{remote!r} is no full path of a file on a phone, like /data/local/tmp/x"
        )
    quote_word(remote)


def _remote_error(phone: PhoneConnection, message: str) -> RemoteFileError:
    return RemoteFileError(message, serial=phone.serial)


def _damaged(phone: PhoneConnection, name: str) -> DamagedTransferError:
    return DamagedTransferError(
        f"{name} was damaged on its way from or to {phone.serial}: its checksum differs; try"
        " another cable or USB port",
        serial=phone.serial,
    )
