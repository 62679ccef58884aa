"""Find the adb program and run it, one bounded call at a time."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.adb.text import shorten_command
from android_bench.errors import AdbProgramError, AdbServerReplacedWarning, AdbTimeoutError

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
_REAP_S = 5.0


def find_adb(explicit: str | Path | None = None) -> str:
    """Return the path of the adb program: ``explicit``, else the first that there is.

    Looked for are $GHOSTDEPLOY_ADB, $ANDROID_HOME/platform-tools/adb, PATH, and the one inside the
    ``adbutils`` wheel. Raises AdbProgramError if there is none, or if one that was named is none.
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
    raise AdbProgramError(f"there is no adb program; {_HOW_TO_GET_ADB}")


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
        ``timeout_s`` (adb is killed then) and AdbProgramError. Warns with AdbServerReplacedWarning
        if adb killed the server of another version.
        """
        command = self.command(arguments, serial)
        process = _start(command)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            stdout, stderr = _kill(process)
            raise AdbTimeoutError(
                f"adb did not end within {timeout_s:g} s and was killed:"
                f" adb {shorten_command(arguments)}; is the phone busy? try: adb reconnect",
                command=command,
                stdout=stdout,
                stderr=stderr,
                serial=serial,
            ) from None
        except BaseException:
            on_abort(_kill(process)[0])
            raise
        _warn_if_server_was_replaced(stderr)
        stderr = _SERVER_NOTES.sub(b"", stderr)
        return ClientResult(command, stdout, stderr, process.returncode)

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


def _kill(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Kill the client alone: a server that it has just started belongs to everybody."""
    process.kill()
    try:
        return process.communicate(timeout=_REAP_S)
    except subprocess.TimeoutExpired as expired:
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()
        return expired.stdout or b"", expired.stderr or b""


def _warn_if_server_was_replaced(stderr: bytes) -> None:
    if match := _KILLED_SERVER.search(stderr):
        warnings.warn(
            f"{match[0].decode('utf-8', 'replace').strip()}: adb replaced the running server, which"
            " ends everybody's sessions; use one adb version, or a server port of your own"
            " ($ANDROID_ADB_SERVER_PORT)",
            AdbServerReplacedWarning,
            stacklevel=2,
        )
