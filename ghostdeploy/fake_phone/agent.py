"""The phone's init: runs commands inside the sandbox. A script of its own, started by sandbox.py.

With ``--root DIR`` it expects to be process 1 of fresh user, mount and process namespaces: it
builds a root directory from the machine's own top-level folders (read-only) and the phone's
(/data, /sys, /system, …), and moves into it. Without, it is only the reaper of everything it
starts. It ends, and with it all that it started, as soon as the other end of its socket is closed.

Messages are JSON: {"id", "argv", "env", "cwd"} with three file descriptors starts a command and
gives {"id", "pid"}, later {"id", "status"}; {"id", "do": "list" | "kill" | "signal" | "remount"}
gives {"id", "result"}.
"""

from __future__ import annotations

import argparse
import array
import ctypes
import json
import os
import re
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

# <sys/mount.h>, <sys/prctl.h>
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
KEPT_FLAGS = 0xF
PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 24, 36
CAPABILITIES = 64
MESSAGE_MAX = 1 << 18
POLL_S = 0.01
libc = ctypes.CDLL(None, use_errno=True)


class Message(TypedDict, total=False):
    """What the sandbox asks: to start a command (first line), or one of ACTIONS (second)."""

    id: int
    argv: list[str]
    env: dict[str, str]
    cwd: str
    do: str
    arguments: dict[str, object]


def main() -> None:
    """Move into the phone's root, say "ready", and serve the socket until it closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--own", nargs="*", default=[])
    options = parser.parse_args()
    channel = socket.socket(fileno=options.socket)
    channel.set_inheritable(False)
    # a process 1 hears no signal it does not handle; otherwise Ctrl-C would reach the phone
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options.root:
        enter_root(options.root, options.own)
    else:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    channel.send(b'{"id": 0, "result": "ready"}')
    Agent(channel).loop()


def enter_root(root: Path, own: list[str]) -> None:
    """Make ``root`` the root directory, with this machine's other folders than ``own`` in it."""
    for entry in os.scandir("/"):
        if entry.name not in own and entry.name != "proc":
            adopt(entry, root / entry.name)
    mount("proc", root / "proc", 0, "proc")
    for file in (root / "proc.phone").rglob("*"):
        if file.is_file():
            mount(file, root / "proc" / file.relative_to(root / "proc.phone"), MS_BIND)
    mount(root / "data", root / "data", MS_BIND)
    os.chroot(root)
    os.chdir("/")


def adopt(entry: os.DirEntry[str], target: Path) -> None:
    """Show a top-level folder or link of this machine at ``target``, read-only."""
    if entry.is_symlink():
        if not os.path.lexists(target):
            target.symlink_to(os.readlink(entry.path))
    elif entry.is_dir():
        target.mkdir(exist_ok=True)
        mount(entry.path, target, MS_BIND | MS_REC)
        # commands of a phone must not change this machine; some mounts refuse, and stay as they are
        with suppress(OSError):
            kept = os.statvfs(target).f_flag & KEPT_FLAGS
            mount("none", target, MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def mount(source: str | Path, target: Path, flags: int, kind: str | None = None) -> None:
    """Mount as the system call does. Raises OSError."""
    encoded = (os.fsencode(source), os.fsencode(target), kind.encode() if kind else None)
    if libc.mount(*encoded, ctypes.c_ulong(flags), None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} on {target}: {os.strerror(number)}")


class Agent:
    """The loop that answers the messages of ``channel`` and reaps every process below it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.commands: dict[int, int] = {}

    def loop(self) -> None:
        """Serve until the other end closes, then kill all that was started."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(wake_read, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            watched: list[socket.socket | int] = [self.channel, wake_read]
            while True:
                ready, _, _ = select.select(watched, [], [])
                if wake_read in ready:
                    with suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                    self.reap()
                if self.channel in ready and not self.handle():
                    return
        except OSError:
            pass
        finally:
            kill_everything()

    def reap(self) -> None:
        """Collect the processes that ended; tell the exit status of those that are commands."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self.commands:
                    code = os.waitstatus_to_exitcode(status)
                    self.answer(self.commands.pop(pid), status=code)

    def answer(self, number: int, **fields: object) -> None:
        """Answer the message of that ``id``."""
        self.channel.send(json.dumps({"id": number, **fields}).encode())

    def handle(self) -> bool:
        """Do what one message asks; return False where there are no more."""
        data, descriptors = receive(self.channel)
        if not data:
            return False
        message: Message = json.loads(data)
        if "argv" in message:
            self.start(message, descriptors)
        else:
            self.answer(
                message["id"], result=ACTIONS[message["do"]](**message.get("arguments", {}))
            )
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def start(self, message: Message, descriptors: list[int]) -> None:
        """Start a command and tell its pid."""
        pid = os.fork()
        if not pid:
            become(message, descriptors)
        self.commands[pid] = message["id"]
        self.answer(message["id"], pid=pid)


def receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    """Return one message, b"" at the end, and the file descriptors that came with it."""
    numbers = array.array("i")
    data, ancillary, _, _ = channel.recvmsg(MESSAGE_MAX, socket.CMSG_SPACE(3 * numbers.itemsize))
    for _, _, content in ancillary:
        numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return data, list(numbers)


def become(message: Message, descriptors: list[int]) -> None:
    """Turn into the command, on the child's side of a fork. Never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and by what it starts
            signal.signal(ignored, signal.SIG_DFL)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.chdir(message["cwd"])
        # adbd's commands run as the user "shell": file permissions must hold even for a root
        for capability in range(CAPABILITIES):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.execve(message["argv"][0], message["argv"], message["env"])
    finally:
        os._exit(127)


def find_descendants() -> dict[int, str]:
    """Return the living processes below this one, and their command lines."""
    parents, lines = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                state, parent = (
                    Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[:2]
                )
                if state != "Z":
                    # first what may fail: the process may end between the two files
                    raw = Path(f"/proc/{name}/cmdline").read_bytes()
                    lines[int(name)] = raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()
                    parents[int(name)] = int(parent)
    return {pid: lines[pid] for pid in parents if is_descendant(pid, parents)}


def is_descendant(pid: int, parents: dict[int, int]) -> bool:
    """Return whether this process is among the ancestors of ``pid``; ``parents``: pid → its own."""
    parent = parents[pid]
    while parent in parents and parent != os.getpid():
        parent = parents[parent]
    return parent == os.getpid()


def list_processes() -> list[tuple[int, str]]:
    """Return (pid, command line) of all that was started, by pid."""
    return sorted(find_descendants().items())


def kill_matching(pattern: str, signo: int) -> int:
    """Signal all whose command line matches; return how many. After SIGKILL none is left."""
    found = [pid for pid, line in find_descendants().items() if re.search(pattern, line)]
    for pid in found:
        send_signal(pid, signo)
    while signo == signal.SIGKILL and find_descendants().keys() & set(found):
        time.sleep(POLL_S)
    return len(found)


def send_signal(pid: int, signo: int) -> None:
    """Signal one process, if it still runs."""
    with suppress(ProcessLookupError):
        os.kill(pid, signo)


def remount_data(read_only: bool) -> str:
    """Mount /data anew; return what went wrong, "" for nothing."""
    kept = os.statvfs("/data").f_flag & KEPT_FLAGS & ~MS_RDONLY
    try:
        mount("none", Path("/data"), MS_BIND | MS_REMOUNT | kept | (MS_RDONLY if read_only else 0))
    except OSError as error:
        return str(error)
    return ""


def kill_everything() -> None:
    """Kill all that was started, and wait for its end."""
    while True:
        for pid in find_descendants():
            send_signal(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


ACTIONS: dict[str, Callable[..., object]] = {
    "list": list_processes,
    "kill": kill_matching,
    "signal": send_signal,
    "remount": remount_data,
}

if __name__ == "__main__":
    main()
