"""One Android phone over the adb program: commands and files, with errors that say what to do.

    adb = open_device(None)                    # the only phone, or an error that says which
    adb.shell(["getprop", "ro.product.model"]).text
    adb.push(Path("model.tflite"), f"{DEVICE_ROOT}/model.tflite")

Runs that outlive a connection are in adb_runs.py, the lock against a second process in adb_lock.py.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from android_bench.adb import failures as adb_failures
from android_bench.adb import transfer as adb_files
from android_bench.adb.client import AdbClient, ClientResult, find_adb
from android_bench.adb.command import (
    LONGEST_COMMAND,
    ShellResult,
    Started,
    Wrapped,
    kill_session,
    wrap,
)
from android_bench.adb.text import DEVICE_ROOT, join, quote, safe_name, shown
from android_bench.errors import (
    AdbError,
    AdbTimeoutError,
    CommandFailedError,
    ConnectionLostError,
    DeviceError,
    NoDeviceError,
    OfflineError,
    OptionError,
    ServiceRefusedError,
    SeveralDevicesError,
    UnauthorizedError,
    UnknownSerialError,
    UsbPermissionError,
)

__all__ = [
    "DEVICE_ROOT",
    "Adb",
    "AdbClient",
    "DeviceEntry",
    "ShellResult",
    "connect",
    "find_adb",
    "list_devices",
    "open_device",
    "quote",
    "safe_name",
]

DEFAULT_TIMEOUT_S = 30.0
PUSH_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 15.0
_QUERY_TIMEOUT_S = 20.0
_KILL_TIMEOUT_S = 15.0
_KILL_TRIES = 3
_POLL_S = 0.1
_DEFAULT_TCP_PORT = 5555
_TCP_SERIAL = re.compile(r"(?:[^:\s]+|\[[0-9a-fA-F:.%\w]+\]):\d{1,5}")
_STATE_OF: tuple[tuple[type[DeviceError], str], ...] = (
    (UnauthorizedError, "unauthorized"),
    (OfflineError, "offline"),
    (UsbPermissionError, "no permissions"),
    (UnknownSerialError, "absent"),
    (NoDeviceError, "absent"),
)
# these may pass by themselves, or by connecting anew
_PASSING = (ConnectionLostError, OfflineError, ServiceRefusedError, UnknownSerialError)
_T = TypeVar("_T")


@dataclass(frozen=True)
class DeviceEntry:
    """One line of ``adb devices -l``; what adb does not know is "".

    ``state`` is ``device`` for a phone that takes commands, else ``offline``, ``unauthorized``,
    ``no permissions``, ``recovery``, …
    """

    serial: str
    state: str
    product: str = ""
    model: str = ""
    device: str = ""
    transport_id: str = ""


def list_devices(client: AdbClient | None = None) -> tuple[DeviceEntry, ...]:
    """All that is attached, whatever its state. Raises AdbProgramError and AdbServerError."""
    client = client or AdbClient()
    result = client.run(["devices", "-l"], _QUERY_TIMEOUT_S)
    if result.returncode:
        raise adb_failures.no_trailer(result, None)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    return tuple(_entry(line) for line in lines if re.match(r"\S+\s+\w", line) and not _head(line))


def _head(line: str) -> bool:
    return line.startswith(("List of devices", "* "))


def _entry(line: str) -> DeviceEntry:
    serial, rest = line.split(maxsplit=1)
    pairs = dict(re.findall(r"(\w+):(\S+)", rest))
    state = re.split(r"[;(]|\s\w+:", rest)[0].strip()
    known = {name: pairs.get(name, "") for name in ("product", "model", "device", "transport_id")}
    return DeviceEntry(serial, state, **known)


def open_device(
    serial: str | None = None,
    client: AdbClient | None = None,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> Adb:
    """The phone of that serial, connected to if it is ``host:port``; None means the only phone.

    ``timeout_s`` is for the connecting.

    Raises the DeviceErrors, each for its own reason.
    """
    client = client or AdbClient()
    if serial is None:
        serial = _only(list_devices(client)).serial
    elif not serial or serial.startswith("-") or any(sign.isspace() for sign in serial):
        raise OptionError(f"{serial!r} is no serial; see: adb devices")
    adb = Adb(serial, client)
    state = adb.state()
    if state == "absent" and adb.is_tcp:
        return connect(serial, client, timeout_s)
    if state != "device":
        raise adb.why_not(state)
    return adb


def _only(entries: Sequence[DeviceEntry]) -> DeviceEntry:
    if not entries:
        raise NoDeviceError(adb_failures.NO_DEVICE)
    ready = [entry for entry in entries if entry.state == "device"]
    if len(ready) == 1:
        return ready[0]
    if len(entries) > 1:
        names = ", ".join(f"{entry.serial} ({entry.state})" for entry in entries)
        raise SeveralDevicesError(f"several phones are attached: {names}; name one by its serial")
    return entries[0]


def connect(
    address: str, client: AdbClient | None = None, timeout_s: float = CONNECT_TIMEOUT_S
) -> Adb:
    """Connect to ``host:port`` (port 5555 if none) and wait until the phone takes commands.

    adb says "failed to authenticate" with exit code 0 while the phone shows its prompt, so its
    state counts and not its word. Raises UnknownSerialError if nobody answers there,
    UnauthorizedError if nobody accepts the prompt in time, OfflineError.
    """
    serial = address if _TCP_SERIAL.fullmatch(address) else f"{address}:{_DEFAULT_TCP_PORT}"
    if not _TCP_SERIAL.fullmatch(serial) or serial.startswith("-"):
        raise OptionError(f"{address!r} is no HOST:PORT")
    adb = Adb(serial, client or AdbClient())
    adb.wait_online(timeout_s)
    return adb


@dataclass(frozen=True)
class Adb:
    """One phone, named by its serial (a USB serial, ``emulator-5554``, or ``host:port``).

    ``patience_s``: how long a phone that vanished in mid-command may take to come back.
    """

    serial: str
    client: AdbClient = field(default_factory=AdbClient)
    patience_s: float = 10.0

    @property
    def is_tcp(self) -> bool:
        """Whether the serial is an address that adb can connect to."""
        return bool(_TCP_SERIAL.fullmatch(self.serial))

    # ---- commands

    def shell(
        self,
        command: str | Sequence[str],
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        repeatable: bool = True,
    ) -> ShellResult:
        """Run a command on the phone and return what it gave, whatever its exit status.

        A list is one command, each item quoted; a string is shell source. Over 4000 bytes it goes
        to the phone as a file. If the connection is lost in mid-command, it is run once more as
        soon as the phone is back; not so if ``repeatable`` is False. After ``timeout_s`` it is
        killed, here and on the phone. Raises the AdbErrors, and OptionError for a zero byte.
        """
        wrapped = wrap(command)
        if len(wrapped.line.encode("utf-8", "surrogateescape")) > LONGEST_COMMAND:
            text = command if isinstance(command, str) else join(command)
            return self.script(text, timeout_s, repeatable=repeatable)
        return self._again(lambda: self._run(wrapped, command, timeout_s), repeatable)

    def check(
        self,
        command: str | Sequence[str],
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        repeatable: bool = True,
    ) -> str:
        """Like ``shell``, but returns stdout as text; raises CommandFailedError if status != 0."""
        result = self.shell(command, timeout_s, repeatable=repeatable)
        if result.returncode:
            raise self.failed(command, result)
        return result.text

    def script(
        self, text: str, timeout_s: float = DEFAULT_TIMEOUT_S, *, repeatable: bool = True
    ) -> ShellResult:
        """Run shell source of any length: it is pushed to a file, which is removed afterwards."""
        remote = f"{DEVICE_ROOT}/scripts/{token_hex(8)}.sh"
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "script.sh")
            local.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
            self.push(local, remote)
        try:
            return self.shell(["sh", remote], timeout_s, repeatable=repeatable)
        finally:
            with suppress(AdbError):
                self.shell(["rm", "-f", remote], _KILL_TIMEOUT_S)

    def _run(self, wrapped: Wrapped, command: str | Sequence[str], timeout_s: float) -> ShellResult:
        try:
            result = self.client.run(
                ["shell", wrapped.line],
                timeout_s,
                serial=self.serial,
                on_abort=lambda stdout: self._kill_on_device(wrapped.started(stdout)),
            )
        except AdbTimeoutError as error:
            self._kill_on_device(wrapped.started(error.stdout))
            raise self._timed_out(command, timeout_s, error) from None
        found = wrapped.result(result.stdout, result.stderr)
        if found is None:
            raise self._unfinished(wrapped, result)
        return found

    def _unfinished(self, wrapped: Wrapped, result: ClientResult) -> AdbError:
        """Nobody knows how it ended: make sure that it has, as soon as the phone is back."""
        error = adb_failures.no_trailer(result, self.serial)
        started = wrapped.started(result.stdout)
        if started and 128 < result.returncode < 255:
            # shell_v2 told how the shell itself ended; 255 is also adb's word for a lost phone
            seen = ShellResult(result.stdout, result.stderr, result.returncode)
            return self.failed("sh", seen)
        if started and isinstance(error, ConnectionLostError):
            with suppress(AdbError):
                self.wait_back(error)
                self._kill_on_device(started)
        return error

    def _timed_out(
        self, command: str | Sequence[str], timeout_s: float, error: AdbTimeoutError
    ) -> AdbTimeoutError:
        return AdbTimeoutError(
            f"no end within {timeout_s:g} s on {self.serial}, killed: {shown(command)}; allow more"
            " time, or restart the phone if even `adb shell true` hangs",
            command=error.command,
            stdout=error.stdout,
            stderr=error.stderr,
            serial=self.serial,
        )

    def _kill_on_device(self, started: Started | None) -> None:
        """As far as possible: adbd hangs up the shell only, what that started lives on."""
        if started:
            with suppress(AdbError):
                for _ in range(_KILL_TRIES):
                    wrapped = wrap(kill_session(started))
                    command = ["shell", wrapped.line]
                    seen = self.client.run(command, _KILL_TIMEOUT_S, serial=self.serial)
                    if wrapped.result(seen.stdout, seen.stderr):
                        return
                    # a server that has just started may not know the phone yet
                    self.wait_online(_KILL_TIMEOUT_S)

    def failed(self, command: str | Sequence[str], result: ShellResult) -> CommandFailedError:
        """The error for a command on the phone that ended with another status than 0."""
        said = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
        killed = " (killed: the phone may be short of memory)" if result.returncode == 137 else ""
        return CommandFailedError(
            f"status {result.returncode}{killed} on {self.serial} of: {shown(command)}:"
            f" {shown(said, 200) or 'no output'}",
            command=[command] if isinstance(command, str) else command,
            returncode=result.returncode,
            stdout=result.stdout,
            stderr=result.stderr,
            serial=self.serial,
        )

    # ---- files

    def push(
        self, local: Path, remote: str, mode: int = 0o644, timeout_s: float = PUSH_TIMEOUT_S
    ) -> bool:
        """Put a file on the phone, verified by its sha256 there; False if it was there already.

        ``remote`` is the full path, and never holds half a file. One process at a time may push to
        it: what an earlier, interrupted push left is removed. Raises OptionError, OSError for the
        local file, the TransferErrors and the other AdbErrors.
        """
        return adb_files.push(self, Path(local), remote, mode, timeout_s)

    def pull(self, remote: str, local: Path, timeout_s: float = PUSH_TIMEOUT_S) -> None:
        """Fetch a file from the phone; ``local`` appears complete and verified, or not at all."""
        adb_files.pull(self, remote, Path(local), timeout_s)

    # ---- the connection

    def state(self) -> str:
        """``device``, ``offline``, ``unauthorized``, ``recovery``, …, or ``absent``.

        Raises AdbProgramError, AdbServerError, AdbTimeoutError.
        """
        result = self.client.run(["get-state"], _QUERY_TIMEOUT_S, serial=self.serial)
        if not result.returncode:
            return result.stdout.decode("utf-8", "replace").strip()
        error = adb_failures.no_trailer(result, self.serial)
        for kind, state in _STATE_OF:
            if isinstance(error, kind):
                return state
        raise error

    def wait_online(self, timeout_s: float) -> None:
        """Wait until the phone takes commands, connecting to it if its serial is an address.

        Raises what stood in the way when the time was up: UnauthorizedError, OfflineError,
        UnknownSerialError, UsbPermissionError.
        """
        deadline = time.monotonic() + timeout_s
        words = ""
        while (state := self.state()) != "device":
            if state == "absent" and self.is_tcp:
                words = self._connect(max(deadline - time.monotonic(), 1.0))
                state = self.state()
            if state == "device":
                return
            if time.monotonic() > deadline:
                raise self.why_not(state, words)
            time.sleep(_POLL_S)

    def wait_back(self, lost: AdbError) -> None:
        """Give a phone that vanished ``patience_s`` to come back; raises ``lost`` if it does not.

        The adb server restores USB phones by itself, and TCP ones unless it was killed.
        """
        try:
            self.wait_online(self.patience_s)
        except (OfflineError, UnknownSerialError):
            raise lost from None

    def why_not(self, state: str, words: str = "") -> DeviceError:
        """The error for a phone in a state that is not ``device``."""
        if state == "absent" and words:
            return UnknownSerialError(
                f"cannot connect to {self.serial} ({words}); is the address right, and the phone in"
                " this network with wireless debugging on?",
                serial=self.serial,
            )
        kind, message = {
            "absent": (UnknownSerialError, adb_failures.UNKNOWN),
            "unauthorized": (UnauthorizedError, adb_failures.UNAUTHORIZED),
            "no permissions": (UsbPermissionError, adb_failures.USB_PERMISSION),
            "offline": (OfflineError, adb_failures.OFFLINE),
        }.get(state, (OfflineError, f"{{phone}} is in state {state}; start Android on it"))
        return kind(message.format(phone=self.serial), serial=self.serial)

    def _connect(self, timeout_s: float) -> str:
        """Have adb connect; what it says is for people, the state is what counts."""
        with suppress(AdbTimeoutError):
            result = self.client.run(["connect", self.serial], timeout_s)
            return adb_failures.last_words(result)
        return f"no answer within {timeout_s:.0f} s"

    def _again(self, attempt: Callable[[], _T], repeatable: bool) -> _T:
        try:
            return attempt()
        except _PASSING as error:
            if not self.may_pass(error) or (
                isinstance(error, ConnectionLostError) and not repeatable
            ):
                raise
            self.wait_back(error)
            return attempt()

    def may_pass(self, error: AdbError) -> bool:
        """Whether it is worth a second try: not so for a serial that nobody can connect to."""
        return isinstance(error, _PASSING) and (
            self.is_tcp or not isinstance(error, UnknownSerialError)
        )
