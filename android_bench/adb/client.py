"""Find the adb program and run it, one bounded call at a time."""

from __future__ import annotations

import importlib.util
import os
import re
import selectors
import shlex
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.adb.text import shorten_command
from android_bench.errors import (
    AdbError,
    AdbProgramError,
    AdbServerReplacedWarning,
    AdbTimeoutError,
    NoAdbProgramError,
    OutputLimitError,
)

ADB_VARIABLE = "GHOSTDEPLOY_ADB"
_HOW_TO_GET_ADB = (
    "install Android's platform-tools, or run: pip install adbutils, or name it in --adb or"
    f" ${ADB_VARIABLE}"
)
_KILLED_SERVER = re.compile(rb"adb server version \(\d+\) doesn't match this client[^\r\n]*")
_SERVER_NOTES = re.compile(
    rb"(?m)^(?:\* daemon (?:not running|started)|adb server (?:version|is out of date))[^\n]*\n?"
)
QUERY_TIMEOUT_S = 20.0  # for what the server answers, or asks the phone, at once
MOST_BYTES = 64 * 2**20  # of each stream; a whole getprop has some 60 kB, a log at most 16 MiB
_CHUNK = 1 << 16
_REAP_POLL_S = 0.01


def find_adb(explicit: str | Path | None = None) -> str:
    """Return the path of the adb program: ``explicit``, else the first that there is.

    Looked for are $GHOSTDEPLOY_ADB, $ANDROID_HOME/platform-tools/adb, PATH, and the one inside the
    ``adbutils`` wheel. Raises NoAdbProgramError if there is none, AdbProgramError if one that was
    named is none.
    """
    for origin, named in (("--adb", explicit), (f"${ADB_VARIABLE}", os.environ.get(ADB_VARIABLE))):
        if named:
            return _named(origin, os.fspath(named))
    home = os.environ.get("ANDROID_HOME")
    candidates = [
        shutil.which("adb", path=os.path.join(home, "platform-tools")) if home else None,
        shutil.which("adb"),
        _bundled(),
    ]
    for found in candidates:
        if found:
            return found
    raise NoAdbProgramError(f"there is no adb program; {_HOW_TO_GET_ADB}")


def name_adb(program: str) -> str:
    """Return what to type for an adb program: its path, unless it is the one on PATH."""
    found = shutil.which("adb")
    return "adb" if not program or program in ("adb", found) else shlex.quote(program)


def _named(origin: str, path: str) -> str:
    found = shutil.which(path)
    if not found:
        raise AdbProgramError(f"{origin} is {path!r}, which is no program; {_HOW_TO_GET_ADB}")
    return found


def _bundled() -> str | None:
    """Look into the adbutils wheel itself: asking adbutils would import half a web client."""
    spec = importlib.util.find_spec("adbutils")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if found := shutil.which("adb", path=os.path.join(folder, "binaries")):
            return found
    return None


@dataclass(frozen=True)
class ClientResult:
    """The outcome of one call of the adb program; ``command`` is its argument list."""

    command: tuple[str, ...]
    stdout: bytes
    stderr: bytes
    returncode: int

    @property
    def said(self) -> str:
        """Join all that it printed: adb 29 has errors on stdout that adb 36 has on stderr."""
        return (self.stderr + b"\n" + self.stdout).decode("utf-8", "replace")


@dataclass(frozen=True)
class AdbClient:
    """An adb program, and the server that it speaks to.

    ``program`` "" means whatever ``find_adb`` finds. Which server is up to adb's own rules:
    $ADB_SERVER_SOCKET, $ANDROID_ADB_SERVER_PORT, this machine's 5037.
    """

    program: str = ""

    def run(
        self,
        arguments: Sequence[str],
        timeout_s: float,
        *,
        serial: str | None = None,
        on_abort: Callable[[bytes], None] = lambda stdout: None,
    ) -> ClientResult:
        """Run adb to its end and return what it gave, whatever its exit code.

        ``on_abort`` gets the stdout so far if Ctrl-C ends it. Raises AdbTimeoutError after
        ``timeout_s`` and OutputLimitError after MOST_BYTES (adb is killed then), and
        AdbProgramError. Warns with AdbServerReplacedWarning
        if adb killed the server of another version.
        """
        command = self.command(arguments, serial)
        process = _start(command)
        output = _Output(process)
        try:
            output.read_all(time.monotonic() + timeout_s)
        except (_TooLong, TimeoutError) as error:
            _kill(process)
            kind, why = _explain_cut(error, arguments, timeout_s, command[0])
            stdout, stderr = output.so_far()
            raise kind(why, command=command, stdout=stdout, stderr=stderr, serial=serial) from None
        except BaseException:
            _kill(process)
            on_abort(output.so_far()[0])
            raise
        stdout, stderr = output.so_far()
        _warn_if_server_was_replaced(stderr)
        stderr = _SERVER_NOTES.sub(b"", stderr)
        return ClientResult(command, stdout, stderr, process.returncode)

    @property
    def name(self) -> str:
        """Return what a person types to run this adb."""
        return name_adb(self.command(())[0])

    def command(self, arguments: Sequence[str], serial: str | None = None) -> tuple[str, ...]:
        """Return adb's whole argument list. Raises AdbProgramError if there is no adb."""
        device = ["-s", serial] if serial else []
        return (self.program or find_adb(), *device, *arguments)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [word.encode("utf-8", "surrogateescape") for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise AdbProgramError(
            f"{command[0]} cannot be run ({error.strerror}); {_HOW_TO_GET_ADB}", command=command
        ) from None


def _explain_cut(
    error: Exception, arguments: Sequence[str], timeout_s: float, program: str
) -> tuple[type[AdbError], str]:
    call = f"adb {shorten_command(arguments)}"
    if isinstance(error, _TooLong):
        return OutputLimitError, (
            f"adb printed over {MOST_BYTES} bytes and was killed: {call}; what the phone runs"
            " prints without end"
        )
    return AdbTimeoutError, (
        f"adb did not end within {timeout_s:g} s and was killed: {call}; is the phone busy? try:"
        f" {name_adb(program)} reconnect"
    )


class _TooLong(Exception):
    """One stream holds MOST_BYTES."""


class _Output:
    """What one adb prints, read as it comes: bounded in size and in time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._kept = {pipe: bytearray() for pipe in (process.stdout, process.stderr) if pipe}

    def so_far(self) -> tuple[bytes, bytes]:
        stdout, stderr = self._kept.values()
        return bytes(stdout), bytes(stderr)

    def read_all(self, deadline: float) -> None:
        """Read to the end, and reap. Raises TimeoutError, and _TooLong."""
        with selectors.DefaultSelector() as selector:
            for pipe, kept in self._kept.items():
                selector.register(pipe, selectors.EVENT_READ, kept)
            while selector.get_map():
                for key, _ in selector.select(_left_s(deadline)):
                    if not self._keep(key.fd, key.data):
                        selector.unregister(key.fileobj)
        while self._process.poll() is None:
            time.sleep(min(_REAP_POLL_S, _left_s(deadline)))
        self.close()

    def close(self) -> None:
        for pipe in self._kept:
            pipe.close()

    def _keep(self, fd: int, kept: bytearray) -> bool:
        chunk = os.read(fd, _CHUNK)
        kept += chunk
        if len(kept) > MOST_BYTES:
            raise _TooLong
        return bool(chunk)


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the client alone: a server that it has just started belongs to everybody."""
    process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.wait()


def _warn_if_server_was_replaced(stderr: bytes) -> None:
    if match := _KILLED_SERVER.search(stderr):
        warnings.warn(
            f"{match[0].decode('utf-8', 'replace').strip()}: adb replaced the running server, which"
            " ends everybody's sessions; use one adb version, or a server port of your own"
            " ($ANDROID_ADB_SERVER_PORT)",
            AdbServerReplacedWarning,
            stacklevel=2,
        )
