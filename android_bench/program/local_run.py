"""Launch a program on this Linux machine, on given CPUs and with bounded output."""

from __future__ import annotations

import errno
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from android_bench.device.affinity import parse_cpu_list
from android_bench.errors import (
    BinaryNotExecutableError,
    BinaryNotFoundError,
    CpuMaskError,
    LaunchError,
    LaunchTimeoutError,
    OptionError,
    OutputTooLongError,
    WrongArchitectureError,
)
from android_bench.log.lines import MAX_BYTES, quote

_CHUNK = 65536
_REAP_POLL_S = 0.01


@dataclass(frozen=True)
class LocalRun:
    """A launch on this machine ended by itself or by a foreign signal.

    ``returncode`` is minus the signal where one killed it. ``cpus`` was read back from
    /proc/PID/status while the process lived. ``peak_mem_mb`` (10⁶ bytes) is its largest resident
    set, None where it cannot be told apart from that of this process, which Linux passes on.
    """

    stdout: bytes
    stderr: bytes
    returncode: int
    cpus: tuple[int, ...]
    wall_s: float
    peak_mem_mb: float | None = None


def run_local(argv: Sequence[str], timeout_s: float, cpus: Sequence[int] = ()) -> LocalRun:
    """Run one program to its end on the given CPUs; () leaves the mask as it is.

    The end is that of all output: a child that keeps the program's stdout open prolongs it.
    However this call ends, Ctrl-C included, nothing of the process group is left running. Raises
    OptionError for an empty argv or a timeout_s that is not above 0, and the LaunchErrors.
    """
    if not argv or not timeout_s > 0:
        raise OptionError("a launch needs a program and a timeout above 0 s")
    started = time.monotonic()
    with _confined(cpus):
        process = _start(argv)
    with _killed_at_last(process):
        allowed = _read_back(process.pid, cpus)
        output = _Output(process, argv[0], started, timeout_s)
        output.read_all()
        peak_mem_mb = output.wait_for_exit()
    stdout, stderr = output.so_far()
    wall_s = time.monotonic() - started
    return LocalRun(stdout, stderr, process.returncode, allowed, wall_s, peak_mem_mb)


@contextmanager
def _confined(cpus: Sequence[int]) -> Iterator[None]:
    """Lend this thread the mask, which the child inherits.

    A preexec function would need no lending, but may deadlock where other threads run.
    """
    before = os.sched_getaffinity(0)
    try:
        if cpus:
            os.sched_setaffinity(0, cpus)
        yield
    except (OSError, ValueError, OverflowError) as error:
        raise CpuMaskError(
            f"cannot use CPUs {sorted(set(cpus))} ({error}); allowed are {sorted(before)}"
        ) from None
    finally:
        os.sched_setaffinity(0, before)


def _start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except ValueError:
        raise OptionError(f"{quote(' '.join(argv))} holds a zero byte") from None
    except OSError as error:
        raise _start_error(argv[0], error) from None


def _start_error(binary: str, error: OSError) -> LaunchError:
    name = quote(binary)
    if error.errno in (errno.EACCES, errno.EPERM):
        return BinaryNotExecutableError(f"{name} may not be executed; run: chmod 755 {name}")
    if error.errno == errno.ENOEXEC:
        return WrongArchitectureError(
            f"{name} is no program for this machine ({os.uname().machine}); take a build for it"
        )
    if error.errno == errno.ENOENT and os.path.exists(binary):
        return WrongArchitectureError(
            f"the loader of {name} is not on this machine; take a build for its system"
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return BinaryNotFoundError(f"{name} does not exist; give the path of a benchmark_model")
    return LaunchError(f"{name} cannot be started: {error.strerror}")


@contextmanager
def _killed_at_last(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            _kill_group(process.pid)
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _kill_group(pid: int) -> None:
    """Kill what the program started, too. The leader must not be reaped: it holds the number."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _read_back(pid: int, wanted: Sequence[int]) -> tuple[int, ...]:
    allowed = parse_cpu_list(_status_field(pid, "Cpus_allowed_list"))
    if wanted and set(allowed) != set(wanted):
        raise CpuMaskError(
            f"asked for CPUs {sorted(set(wanted))}, the process has {list(allowed)}; they may be"
            " offline or outside this machine's cpuset"
        )
    return allowed


def _status_field(pid: int, name: str) -> str:
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key == name:
                return value.strip()
    return ""


class _Output:
    """The output of one process is bounded, and read until a deadline."""

    def __init__(
        self, process: subprocess.Popen[bytes], name: str, started: float, timeout_s: float
    ) -> None:
        self.process = process
        self.name = quote(name)
        self.timeout_s = timeout_s
        self.deadline = started + timeout_s
        self.stdout, self.stderr = bytearray(), bytearray()

    def so_far(self) -> tuple[bytes, bytes]:
        return bytes(self.stdout), bytes(self.stderr)

    def read_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe, kept in (
                (self.process.stdout, self.stdout),
                (self.process.stderr, self.stderr),
            ):
                if pipe:
                    selector.register(pipe, selectors.EVENT_READ, kept)
            while selector.get_map():
                for key, _ in selector.select(self._remaining_s()):
                    if not self._keep(key.fd, key.data):
                        selector.unregister(key.fileobj)

    def _keep(self, fd: int, kept: bytearray) -> bool:
        chunk = os.read(fd, _CHUNK)
        kept += chunk
        if len(kept) > MAX_BYTES:
            raise OutputTooLongError(f"{self.name} printed over {MAX_BYTES} bytes; is it the tool?")
        return bool(chunk)

    def _remaining_s(self) -> float:
        remaining_s = self.deadline - time.monotonic()
        if remaining_s > 0:
            return remaining_s
        stdout, stderr = self.so_far()
        raise LaunchTimeoutError(
            f"{self.name} did not end within {self.timeout_s:g} s and was killed; allow more time"
            " or fewer runs",
            stdout=stdout,
            stderr=stderr,
        )

    def wait_for_exit(self) -> float | None:
        """Wait for the end and reap; return the peak memory in 10⁶ bytes, if known."""
        pid = self.process.pid
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            time.sleep(min(_REAP_POLL_S, self._remaining_s()))
        _kill_group(pid)
        _, status, usage = os.wait4(pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return _peak_mb(usage)


def _peak_mb(usage: resource.struct_rusage) -> float | None:
    # exec counts the memory of the process that forked, so a lower peak than ours is unknown
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * 1024 / 1e6 if usage.ru_maxrss > ours else None
