"""Use one Android phone over the adb program, with errors that say what to do.

    adb = open_device(None)                    # the only phone, or an error that says which
    adb.shell(["getprop", "ro.product.model"]).text
    adb.push(Path("model.tflite"), f"{DEVICE_ROOT}/model.tflite")

Runs that outlive a connection are in runs.py, the lock against a second process in lock.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from android_bench.adb.client import QUERY_TIMEOUT_S, AdbClient
from android_bench.adb.command import LONGEST_COMMAND, ShellResult, wrap_command
from android_bench.adb.connection import (
    DEFAULT_TIMEOUT_S,
    KILL_TIMEOUT_S,
    PhoneConnection,
    is_address,
)
from android_bench.adb.devices import DeviceEntry, list_devices
from android_bench.adb.failures import NO_DEVICE
from android_bench.adb.patience import Patience, wait_back
from android_bench.adb.text import DEVICE_ROOT, join_words
from android_bench.adb.transfer import TRANSFER_TIMEOUT_S, pull_file, push_file
from android_bench.errors import (
    AdbError,
    NoDeviceError,
    OfflineError,
    OptionError,
    SeveralDevicesError,
    UnknownSerialError,
)

CONNECT_TIMEOUT_S = 15.0
PASSING_STATES = ("offline", "connecting", "authorizing")  # of a phone that was just plugged in
_DEFAULT_TCP_PORT = 5555


@dataclass(frozen=True)
class Adb(PhoneConnection):
    """An Adb is a phone's connection that also moves files, and so runs commands of any length."""

    def shell(
        self, command: str | Sequence[str], timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> ShellResult:
        """Run a command on the phone and return what it gave, whatever its exit status.

        As ``PhoneConnection.shell``, but over LONGEST_COMMAND bytes it goes to the phone as a file.
        """
        line = wrap_command(command).line
        if len(line.encode("utf-8", "surrogateescape")) > LONGEST_COMMAND:
            return self._run_file(command, timeout_s)
        return super().shell(command, timeout_s)

    def push(
        self, local: Path, remote: str, mode: int = 0o644, timeout_s: float = TRANSFER_TIMEOUT_S
    ) -> bool:
        """Put a file on the phone, verified by its sha256 there; False if it was there already.

        ``remote`` is the full path, and never holds half a file. One process at a time may push to
        it: what an earlier, interrupted push left is removed. Raises OptionError, OSError for the
        local file, the TransferErrors and the other AdbErrors.
        """
        return push_file(self, local, remote, mode, timeout_s)

    def pull(self, remote: str, local: Path, timeout_s: float = TRANSFER_TIMEOUT_S) -> None:
        """Fetch a file from the phone; ``local`` appears complete and verified, or not at all.

        Raises as ``push`` does.
        """
        pull_file(self, remote, local, timeout_s)

    def _run_file(self, command: str | Sequence[str], timeout_s: float) -> ShellResult:
        """Run shell source of any length from a file, which is removed afterwards."""
        text = command if isinstance(command, str) else join_words(command)
        remote = f"{DEVICE_ROOT}/scripts/{token_hex(8)}.sh"
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "script.sh")
            local.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
            self.push(local, remote)
        try:
            return self.shell(["sh", remote], timeout_s)
        finally:
            with suppress(AdbError):
                self.shell(["rm", "-f", remote], KILL_TIMEOUT_S)


def open_device(
    serial: str | None = None,
    client: AdbClient | None = None,
    timeout_s: float = CONNECT_TIMEOUT_S,
    patience: Patience | None = None,
) -> Adb:
    """Return the phone of that serial, connected to if it is ``host:port``; None: the only phone.

    ``timeout_s`` is for the connecting. ``patience`` is with a phone that is attached and does not
    answer yet. Raises the DeviceErrors, each for its own reason.
    """
    client = client or AdbClient()
    if serial is None:
        serial = _only(list_devices(client)).serial
    elif not serial or serial.startswith("-") or any(sign.isspace() for sign in serial):
        raise OptionError(f"{serial!r} is no serial; see: ghostdeploy devices")
    adb = Adb(serial, client)
    state = adb.get_state()
    if state == "absent" and is_address(serial):
        return connect(serial, client, timeout_s)
    if state in PASSING_STATES and patience:
        wait_back(adb, adb.explain_state(state), patience)
    elif state != "device":
        raise adb.explain_state(state)
    return adb


def _only(entries: Sequence[DeviceEntry]) -> DeviceEntry:
    if not entries:
        raise NoDeviceError(NO_DEVICE)
    # an address that nobody answers at any more may stay in the server's list
    answering = [entry for entry in entries if entry.state != "offline"]
    ready = [entry for entry in answering if entry.state == "device"]
    for found in (ready, answering):
        if len(found) == 1:
            return found[0]
    if len(entries) > 1:
        names = ", ".join(f"{entry.serial} ({entry.state})" for entry in entries)
        raise SeveralDevicesError(f"several phones are attached: {names}; name one by its serial")
    return entries[0]


def find_serial(address: str) -> str:
    """Return what adb calls the phone at ``host:port``; port 5555 if none is named."""
    return address if is_address(address) else f"{address}:{_DEFAULT_TCP_PORT}"


def connect(
    address: str, client: AdbClient | None = None, timeout_s: float = CONNECT_TIMEOUT_S
) -> Adb:
    """Connect to ``host:port`` (port 5555 if none) and wait until the phone takes commands.

    adb says "failed to authenticate" with exit code 0 while the phone shows its prompt, so its
    state counts and not its word. An address at which nobody answers is forgotten again. Raises
    UnknownSerialError or OfflineError there, and UnauthorizedError if nobody accepts the prompt in
    time.
    """
    serial = find_serial(address)
    if not is_address(serial) or serial.startswith("-"):
        raise OptionError(f"{address!r} is no HOST:PORT")
    adb = Adb(serial, client or AdbClient())
    known = adb.get_state() != "absent"
    try:
        adb.wait_online(timeout_s)
    except (UnknownSerialError, OfflineError):
        if not known:  # else the server goes on trying, and lists it, for as long as it lives
            adb.client.run(["disconnect", serial], QUERY_TIMEOUT_S)
        raise
    return adb
