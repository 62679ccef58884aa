"""Turn the output of a failed call of adb into the exception that says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from android_bench.adb.client import ClientResult, name_adb
from android_bench.adb.command import ShellResult
from android_bench.errors import (
    AdbError,
    AdbServerError,
    ConnectionLostError,
    NoDeviceError,
    NoSpaceError,
    OfflineError,
    PermissionDeniedError,
    ReadOnlyError,
    RemoteFileError,
    ServiceRefusedError,
    SeveralDevicesError,
    TransferError,
    UnauthorizedError,
    UnknownSerialError,
    UsbPermissionError,
)

NO_DEVICE = (
    "no phone is attached; plug one in with USB debugging on, or run: ghostdeploy devices HOST:PORT"
)
UNAUTHORIZED = "{phone} does not trust this machine yet; accept the prompt on the phone's screen"
OFFLINE = "{phone} is offline; wake it and plug it in again, or run: {adb} reconnect offline"
NOBODY = (
    "nobody answers at {phone}; is the address right, and the phone in this network with wireless"
    " debugging on?"
)
USB_PERMISSION = (
    "this user may not open the USB device of {phone}; add udev rules for it or join the group"
    " plugdev, then plug it in again"
)
UNKNOWN = "{phone} is not attached; see: ghostdeploy devices"
LOST = "the connection to {phone} was lost in mid-command; check the cable, then run it again"


@dataclass(frozen=True)
class _Meaning:
    pattern: str
    error: type[AdbError]
    message: str


# first match wins; the wording is that of adb 29 to 36
_NO_CONNECTION = (
    _Meaning(
        r"more than one (?:device|emulator)",
        SeveralDevicesError,
        "several phones are attached; name one by its serial, see: ghostdeploy devices",
    ),
    _Meaning(r"no devices(?:/emulators)? found|no emulators found", NoDeviceError, NO_DEVICE),
    _Meaning(
        r"insufficient permissions|no permissions",
        UsbPermissionError,
        USB_PERMISSION,
    ),
    _Meaning(
        r"device unauthorized|failed to authenticate|still authorizing",
        UnauthorizedError,
        UNAUTHORIZED,
    ),
    _Meaning(r"device offline|still connecting", OfflineError, OFFLINE),
    _Meaning(r"device '[^']*' not found|device not found", UnknownSerialError, UNKNOWN),
    _Meaning(
        r"cannot connect to daemon|failed to (?:start|check)[^\n]*(?:daemon|server)"
        r"|could not read ok from ADB Server|cannot resolve host|protocol fault",
        AdbServerError,
        "the adb server cannot be reached ({words}); check $ADB_SERVER_SOCKET and"
        " $ANDROID_ADB_SERVER_PORT, or run: {adb} kill-server",
    ),
)
_CLOSED = _Meaning(
    r"^(?:adb: )?error: (?:connect failed: )?closed\s*$",
    ServiceRefusedError,
    "{phone} refused the service ({words}); is USB debugging limited on it?",
)
_TRANSFER = (
    _Meaning(
        r"error: cannot (?:write|create|open|read)",
        TransferError,
        "this machine's side of the copy failed: {words}",
    ),
    _Meaning(
        r"No space left on device",
        NoSpaceError,
        "the storage of {phone} is full; free some space on it",
    ),
    _Meaning(
        r"Read-only file system",
        ReadOnlyError,
        "the file system of {phone} is read-only there ({words}); use a folder below"
        " /data/local/tmp, or restart the phone",
    ),
    _Meaning(
        r"Permission denied|Operation not permitted",
        PermissionDeniedError,
        "the shell user of {phone} may not do that ({words}); use a folder below /data/local/tmp",
    ),
    _Meaning(
        r"No such file or directory|does not exist|Is a directory|Not a directory",
        RemoteFileError,
        "no such file on {phone}: {words}",
    ),
)
# a client whose server was killed says this, or nothing
_LOST_IN_TRANSFER = r"\bEOF\b|reset by peer|Broken pipe|: (?:closed|Success)$"
_ANY_ERROR = r"^(?:adb: |error: )|\b(?:error|cannot|failed)\b"
_ANY_TRANSFER = _Meaning("", TransferError, "adb could not copy the file with {phone}: {words}")
_LOST = _Meaning("", ConnectionLostError, LOST)


def find_command_error(result: ClientResult, serial: str | None) -> AdbError:
    """Return the error of a command whose end was never heard of."""
    return _first((*_NO_CONNECTION, _CLOSED), result, serial) or _make(_LOST, result, serial)


def find_transfer_error(result: ClientResult, serial: str | None) -> AdbError:
    """Return the error of a failed push or pull."""
    error = _first((*_TRANSFER, *_NO_CONNECTION, _CLOSED), result, serial)
    if error:
        return error
    lost = re.search(_LOST_IN_TRANSFER, result.said, re.MULTILINE)
    if lost or not re.search(_ANY_ERROR, result.said, re.MULTILINE):
        return _make(_LOST, result, serial)
    return _make(_ANY_TRANSFER, result, serial)


def find_file_error(result: ShellResult, command: str, serial: str) -> AdbError | None:
    """Return the error if a command that handles files says why it could not; None if not."""
    seen = ClientResult((command,), result.stdout, result.stderr, result.returncode)
    return _first(_TRANSFER, seen, serial)


def find_error_line(result: ClientResult) -> str:
    """Return the line that names the failure, without adb's prefix, in 200 characters at most."""
    lines = [line.strip() for line in result.said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?:adb: )?(?:error|failed)|cannot|\* ", line)]
    line = (errors or lines or ["no output"])[0]
    return re.sub(r"^(?:adb: )?(?:error: )?", "", line)[:200]


def _first(
    meanings: tuple[_Meaning, ...], result: ClientResult, serial: str | None
) -> AdbError | None:
    for meaning in meanings:
        if re.search(meaning.pattern, result.said, re.MULTILINE):
            return _make(meaning, result, serial)
    return None


def _make(meaning: _Meaning, result: ClientResult, serial: str | None) -> AdbError:
    return meaning.error(
        meaning.message.format(
            phone=serial or "the phone",
            words=find_error_line(result),
            adb=name_adb(result.command[0] if result.command else ""),
        ),
        command=result.command,
        returncode=result.returncode,
        stdout=result.stdout,
        stderr=result.stderr,
        serial=serial,
    )
