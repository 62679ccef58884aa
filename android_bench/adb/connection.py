"""Run commands on one phone, wait for it, and connect to it anew.

Files, and commands of any length, are in phone.py, which is what a caller uses.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from android_bench.adb.client import QUERY_TIMEOUT_S, AdbClient, ClientResult
from android_bench.adb.command import (
    ShellProcess,
    ShellResult,
    WrappedCommand,
    build_kill_script,
    wrap_command,
)
from android_bench.adb.failures import (
    NOBODY,
    OFFLINE,
    UNAUTHORIZED,
    UNKNOWN,
    USB_PERMISSION,
    find_command_error,
    find_error_line,
)
from android_bench.adb.patience import (
    CALL_ATTEMPTS,
    CALL_WAIT_S,
    VANISHED,
    Patience,
    repeat_patiently,
    wait_back,
)
from android_bench.adb.text import shorten_command
from android_bench.errors import (
    AdbError,
    AdbTimeoutError,
    CommandFailedError,
    ConnectionLostError,
    DeviceError,
    NoDeviceError,
    OfflineError,
    OutputLimitError,
    UnauthorizedError,
    UnknownSerialError,
    UsbPermissionError,
)

_HEAD_BYTES = 4096  # more than the line that says which process it is
DEFAULT_TIMEOUT_S = 30.0
KILL_TIMEOUT_S = 15.0
_KILL_TRIES = 3
_POLL_S = 0.1
_TCP_SERIAL = re.compile(r"(?:[^:\s]+|\[[0-9a-fA-F:.%\w]+\]):\d{1,5}")
_STATE_OF: tuple[tuple[type[DeviceError], str], ...] = (
    (UnauthorizedError, "unauthorized"),
    (OfflineError, "offline"),
    (UsbPermissionError, "no permissions"),
    (UnknownSerialError, "absent"),
    (NoDeviceError, "absent"),
)
_ERROR_OF: dict[str, tuple[type[DeviceError], str]] = {
    "absent": (UnknownSerialError, UNKNOWN),
    "unauthorized": (UnauthorizedError, UNAUTHORIZED),
    "no permissions": (UsbPermissionError, USB_PERMISSION),
    "offline": (OfflineError, OFFLINE),
}


def is_address(serial: str) -> bool:
    """Tell whether a serial is an address, ``host:port``, which adb can connect to."""
    return bool(_TCP_SERIAL.fullmatch(serial))


@dataclass(frozen=True)
class PhoneConnection:
    """A connection leads to the phone of one serial: of USB, ``emulator-5554``, or ``host:port``.

    ``patience_s``: how long a phone that vanished in mid-command may take to come back.
    """

    serial: str
    client: AdbClient = field(default_factory=AdbClient)
    patience_s: float = CALL_WAIT_S

    @property
    def patience(self) -> Patience:
        """Say what one call does about a phone that vanishes in it.

        A serial that nobody can connect to is not worth a second try.
        """
        passing = tuple(
            kind for kind in VANISHED if is_address(self.serial) or kind is not UnknownSerialError
        )
        return Patience(self.patience_s, CALL_ATTEMPTS, passing)

    # ---- commands

    def shell(
        self, command: str | Sequence[str], timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> ShellResult:
        """Run a command of up to LONGEST_COMMAND bytes; return what it gave, whatever its status.

        A list is one command, each item quoted; a string is shell source. If the connection is lost
        in mid-command, it is run once more as soon as the phone is back. After ``timeout_s`` it is
        killed, on this machine and on the phone. Raises the AdbErrors, and OptionError for a zero
        byte.
        """
        wrapped = wrap_command(command)
        return repeat_patiently(self, lambda: self._run(wrapped, command, timeout_s), self.patience)

    def check(self, command: str | Sequence[str], timeout_s: float = DEFAULT_TIMEOUT_S) -> str:
        """Run a command as ``shell`` does, and return its stdout as text.

        Raises CommandFailedError for a status other than 0, and what ``shell`` raises.
        """
        result = self.shell(command, timeout_s)
        if result.returncode:
            raise self.explain_failure(command, result)
        return result.text

    def explain_failure(
        self, command: str | Sequence[str], result: ShellResult
    ) -> CommandFailedError:
        """Return the error for a command on the phone that ended with another status than 0."""
        said = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
        killed = " (killed: the phone may be short of memory)" if result.returncode == 137 else ""
        return CommandFailedError(
            f"status {result.returncode}{killed} on {self.serial} of: {shorten_command(command)}:"
            f" {shorten_command(said, 200) or 'no output'}",
            command=[command] if isinstance(command, str) else command,
            returncode=result.returncode,
            stdout=result.stdout,
            stderr=result.stderr,
            serial=self.serial,
        )

    def _run(
        self, wrapped: WrappedCommand, command: str | Sequence[str], timeout_s: float
    ) -> ShellResult:
        try:
            result = self.client.run(
                ["shell", wrapped.line],
                timeout_s,
                serial=self.serial,
                on_abort=lambda stdout: self._kill_on_device(wrapped.find_process(stdout)),
            )
        except AdbTimeoutError as error:
            self._kill_on_device(wrapped.find_process(error.stdout))
            raise self._timed_out(command, timeout_s, error) from None
        except OutputLimitError as error:
            self._kill_on_device(wrapped.find_process(error.stdout[:_HEAD_BYTES]))
            raise
        found = wrapped.find_result(result.stdout, result.stderr)
        if found is None:
            raise self._unfinished(wrapped, result)
        return found

    def _unfinished(self, wrapped: WrappedCommand, result: ClientResult) -> AdbError:
        """Make sure, as soon as the phone is back, that what ended unheard of has ended."""
        error = find_command_error(result, self.serial)
        process = wrapped.find_process(result.stdout)
        if process and 128 < result.returncode < 255:
            # shell_v2 told how the shell itself ended; 255 is also adb's word for a lost phone
            seen = ShellResult(result.stdout, result.stderr, result.returncode)
            return self.explain_failure("sh", seen)
        if process and isinstance(error, ConnectionLostError):
            with suppress(AdbError):
                wait_back(self, error, self.patience)
                self._kill_on_device(process)
        return error

    def _timed_out(
        self, command: str | Sequence[str], timeout_s: float, error: AdbTimeoutError
    ) -> AdbTimeoutError:
        return AdbTimeoutError(
            f"no end within {timeout_s:g} s on {self.serial}, killed: {shorten_command(command)};"
            f" allow more time, or restart the phone if even `{self.client.name} shell true` hangs",
            command=error.command,
            stdout=error.stdout,
            stderr=error.stderr,
            serial=self.serial,
        )

    def _kill_on_device(self, process: ShellProcess | None) -> None:
        """Kill it as far as possible: adbd hangs up the shell only, what that started lives on."""
        if process:
            with suppress(AdbError):
                for _ in range(_KILL_TRIES):
                    wrapped = wrap_command(build_kill_script(process))
                    command = ["shell", wrapped.line]
                    seen = self.client.run(command, KILL_TIMEOUT_S, serial=self.serial)
                    if wrapped.find_result(seen.stdout, seen.stderr):
                        return
                    # a server that has just started may not know the phone yet
                    self.wait_online(KILL_TIMEOUT_S)

    # ---- the phone's state

    def get_state(self) -> str:
        """Return ``device``, ``offline``, ``unauthorized``, ``recovery``, …, or ``absent``.

        Raises AdbProgramError, AdbServerError, AdbTimeoutError.
        """
        result = self.client.run(["get-state"], QUERY_TIMEOUT_S, serial=self.serial)
        if not result.returncode:
            return result.stdout.decode("utf-8", "replace").strip()
        error = find_command_error(result, self.serial)
        for kind, state in _STATE_OF:
            if isinstance(error, kind):
                return state
        raise error

    def wait_online(self, timeout_s: float) -> None:
        """Wait until the phone takes commands, connecting to it if its serial is an address.

        The adb server restores USB phones by itself, and TCP ones unless it was killed. Raises what
        stood in the way when the time was up: UnauthorizedError, OfflineError, UnknownSerialError,
        UsbPermissionError.
        """
        deadline = time.monotonic() + timeout_s
        words = ""
        while (state := self.get_state()) != "device":
            if state == "absent" and is_address(self.serial):
                words = self._connect(max(deadline - time.monotonic(), 1.0))
                state = self.get_state()
            if state == "device":
                return
            if time.monotonic() > deadline:
                raise self.explain_state(state, words)
            time.sleep(_POLL_S)

    def explain_state(self, state: str, words: str = "") -> DeviceError:
        """Return the error for a phone in a state that is not ``device``.

        ``words`` are what adb said when it could not connect.
        """
        if state == "absent" and words:
            nobody = NOBODY.format(phone=f"{self.serial} ({words})")
            return UnknownSerialError(nobody, serial=self.serial)
        if state == "offline" and is_address(self.serial):
            return OfflineError(NOBODY.format(phone=self.serial), serial=self.serial)
        other = (OfflineError, f"{{phone}} is in state {state}; start Android on it")
        kind, message = _ERROR_OF.get(state, other)
        named = message.format(phone=self.serial, adb=self.client.name)
        return kind(named, serial=self.serial)

    def _connect(self, timeout_s: float) -> str:
        """Have adb connect; what it says is for people, the state is what counts."""
        with suppress(AdbTimeoutError):
            result = self.client.run(["connect", self.serial], timeout_s)
            return find_error_line(result)
        return f"no answer within {timeout_s:.0f} s"
