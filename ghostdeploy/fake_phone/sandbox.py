"""Where a phone's commands run: in namespaces of their own, or translated where there are none.

With namespaces (``unshare``: as root, or as anybody where the kernel lets users have them) a
command sees the phone's /data, /sys, /system and /proc, only its own processes, and this
machine's other folders read-only, which is where Python and libraries come from.

Where namespaces are denied (many containers), the phone's paths are replaced in the text of each
command and of each script given to ``sh``. Output then shows the replaced paths, a phone can see
this machine's processes, and a read-only file system reaches pushes only. Adequate for what
ghostdeploy itself runs. $DEVICE_DAEMON_ISOLATED=0 forces this way.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict, cast

AGENT = Path(__file__).with_name("agent.py")
OWN_FOLDERS = ("data", "sdcard", "sys", "system", "vendor")
NAMESPACES = ("--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")
SHELL = "/bin/sh"
READY_S = 60.0
ANSWER_S = 60.0
MESSAGE_MAX = 1 << 18


class SandboxError(Exception):
    """The sandbox could not be set up, or is gone."""


class Answer(TypedDict, total=False):
    """A message of the agent: ``id`` and one of the others; agent.py says which when."""

    id: int
    pid: int
    status: int
    result: object


class Process:
    """One started command."""

    def __init__(self, sandbox: Sandbox, pid: int) -> None:
        self.pid = pid
        self._sandbox = sandbox
        self._status: int | None = None
        self._ended = threading.Event()

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit status (minus the signal), None if it still runs after ``timeout_s``."""
        self._ended.wait(timeout_s)
        return self._status

    def signal(self, signo: int) -> None:
        """Send it a signal, unless the phone is off."""
        with suppress(SandboxError):
            self._sandbox.send_signal(self.pid, signo)

    def end(self, status: int) -> None:
        """Note its exit status and wake whoever waits."""
        self._status = status
        self._ended.set()


class Sandbox:
    """The phone's running system, from boot to shutdown, in the folder ``root``.

    ``isolated``: whether in namespaces; None takes them where this machine has them. Raises
    SandboxError where they are asked for in vain.
    """

    def __init__(self, root: Path, *, isolated: bool | None = None) -> None:
        self.root = root
        self.isolated = can_isolate() if isolated is None else isolated
        self._lock = threading.Lock()
        self._next = 1
        self._answers: dict[int, queue.Queue[Answer | None]] = {}
        self._processes: dict[int, Process] = {}
        self._channel, self._init = _start_agent(root, self.isolated)
        self._reader = threading.Thread(target=self._read, daemon=True, name="sandbox")
        self._reader.start()

    def start(self, command: str, descriptors: Sequence[int]) -> Process:
        """Start ``command`` in a shell, with three file descriptors as stdin, stdout, stderr.

        Raises SandboxError where the phone is off.
        """
        argv = [SHELL, "-c", self.translate(command)] if command else [SHELL]
        bin_folder = "/system/bin" if self.isolated else f"{self.root}/system/bin"
        env = {
            "PATH": f"{bin_folder}:/usr/bin:/bin",
            "HOME": "/",
            "TMPDIR": self.translate("/data/local/tmp"),
            "ANDROID_DATA": "/data",
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
        }
        cwd = "/" if self.isolated else str(self.root)
        number, answer = self._ask({"argv": argv, "env": env, "cwd": cwd}, descriptors)
        process = Process(self, answer["pid"])
        with self._lock:
            early = self._answers.pop(number)
            self._processes[number] = process
        with suppress(queue.Empty):
            self._dispatch_end(number, early.get_nowait())
        return process

    def translate(self, text: str) -> str:
        """Return ``text`` with the phone's paths as this machine has them, if that is needed."""
        return text if self.isolated else _device_paths().sub(rf"{self.root}\g<0>", text)

    def list_processes(self) -> list[tuple[int, str]]:
        """Return (pid, command line) of all that runs."""
        found = cast("list[tuple[int, str]]", self._do("list"))
        return [(pid, line) for pid, line in found]

    def kill_matching(self, pattern: str, signo: int) -> int:
        """Signal every process whose command line matches ``pattern``; return how many."""
        return cast(int, self._do("kill", pattern=pattern, signo=int(signo)))

    def send_signal(self, pid: int, signo: int) -> None:
        """Signal one process, if it still runs."""
        self._do("signal", pid=pid, signo=signo)

    def remount_data(self, read_only: bool) -> str:
        """Mount /data anew; return what went wrong, "" for nothing."""
        return cast(str, self._do("remount", read_only=read_only))

    def _do(self, action: str, **arguments: object) -> object:
        number, answer = self._ask({"do": action, "arguments": arguments}, ())
        with self._lock:
            del self._answers[number]
        return answer["result"]

    def stop(self) -> None:
        """Kill everything that runs in it."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._init.wait()
        self._reader.join()
        self._channel.close()

    def _ask(self, message: Mapping[str, object], descriptors: Sequence[int]) -> tuple[int, Answer]:
        with self._lock:
            number, self._next = self._next, self._next + 1
            answers: queue.Queue[Answer | None] = queue.Queue()
            self._answers[number] = answers
        data = json.dumps({"id": number, **message}).encode()
        try:
            if descriptors:
                socket.send_fds(self._channel, [data], list(descriptors))
            else:
                self._channel.send(data)
            answer = answers.get(timeout=ANSWER_S)
        except (OSError, queue.Empty):
            answer = None
        if answer is None:
            raise SandboxError("the phone is off")
        return number, answer

    def _read(self) -> None:
        with suppress(OSError):
            while data := self._channel.recv(MESSAGE_MAX):
                message: Answer = json.loads(data)
                with self._lock:
                    answers = self._answers.get(message["id"])
                    if answers:
                        answers.put(message)
                if not answers:
                    self._dispatch_end(message["id"], message)
        with self._lock:
            for answers in self._answers.values():
                answers.put(None)
        for number in list(self._processes):
            self._dispatch_end(number, {"status": -9})

    def _dispatch_end(self, number: int, message: Answer | None) -> None:
        process = self._processes.pop(number, None)
        if process:
            process.end(message["status"] if message else -9)


def _start_agent(root: Path, isolated: bool) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    argv = [sys.executable, "-I", "-S", str(AGENT), "--socket", str(theirs.fileno())]
    if isolated:
        argv = ["unshare", *NAMESPACES, *argv, "--root", str(root), "--own", *OWN_FOLDERS]
    with theirs:
        init = subprocess.Popen(
            argv,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    ours.settimeout(READY_S)
    try:
        ready = ours.recv(MESSAGE_MAX)
    except OSError:
        ready = b""
    ours.settimeout(None)
    assert init.stderr
    if not ready:
        ours.close()
        init.kill()
        reason = init.stderr.read().decode("utf-8", "replace").strip()
        init.stderr.close()
        init.wait()
        raise SandboxError(f"no sandbox: {reason}")
    init.stderr.close()
    return ours, init


@functools.cache
def can_isolate() -> bool:
    """Return whether this machine lets us have namespaces; tried once, on an empty phone."""
    if os.environ.get("DEVICE_DAEMON_ISOLATED") == "0" or not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_folders(root)
        try:
            Sandbox(root, isolated=True).stop()
        except SandboxError:
            return False
    return True


def make_folders(root: Path) -> None:
    """Make the top-level folders of a phone."""
    for name in (*OWN_FOLDERS, "proc", "proc.phone", "data/local/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)


PROC_FILES = ("cpuinfo", "loadavg", "meminfo", "stat", "uptime", "sys/kernel/random/boot_id")


@functools.cache
def _device_paths() -> re.Pattern[str]:
    folders = "|".join(OWN_FOLDERS)
    files = "|".join(re.escape(name) for name in PROC_FILES)
    return re.compile(rf"(?<![\w./-])/(?:(?:{folders})|proc/(?:{files}))(?![\w-])")


def script_translation(root: Path) -> str:
    """Return a sed program that does to a script what ``translate`` does to a command."""
    folders = r"\|".join(OWN_FOLDERS)
    files = r"\|".join(PROC_FILES)
    word = r"\([^[:alnum:]_-]\|$\)"
    before = r"\(^\|[^[:alnum:]_./-]\)"
    rule = rf"s#{before}/\({folders}\|proc/\({files}\)\){word}#\1{os.fspath(root)}/\2\4#g"
    # a match takes its neighbours with it, so that the one next to it needs a second round
    return f"{rule};{rule}"
