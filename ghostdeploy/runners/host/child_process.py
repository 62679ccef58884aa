"""One child process that never outlives its launch, whatever ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ghostdeploy.errors import error_line

MAX_OUTPUT_BYTES = 64_000
MAX_TIMEOUT_S = 2_000_000.0  # poll(2) counts milliseconds in 31 bits
PACKAGE_ROOT = Path(__file__).resolve().parents[3]
CUT = b"\n[... cut ...]\n"


@dataclass(frozen=True)
class FinishedProcess:
    """A process that has ended; ``returncode`` is negative for a signal, as in subprocess."""

    returncode: int
    stdout: str
    stderr: str
    timed_out: bool

    @property
    def killed_by(self) -> str:
        """The name of the signal that ended the process, or ""."""
        if self.returncode >= 0:
            return ""
        with contextlib.suppress(ValueError):
            return signal.Signals(-self.returncode).name
        return f"signal {-self.returncode}"

    @property
    def last_words(self) -> str:
        """The last line that the process wrote to stderr, in at most 500 characters."""
        lines = self.stderr.strip().splitlines() or ["it said nothing"]
        return error_line(lines[-1])


def run_process(
    argv: Sequence[str],
    timeout_s: float,
    env: Mapping[str, str],
    cpus: Sequence[int] = (),
    cwd: Path | None = None,
) -> FinishedProcess:
    """Run ``argv`` in a process group of its own and wait; on any exception the group is killed.

    The process starts on ``cpus`` where this process may use them; () leaves that to the system.
    stderr is kept in its first and last ``MAX_OUTPUT_BYTES``/2. Raises OSError where the process
    cannot start.
    """
    with tempfile.TemporaryFile() as errors:
        with _lent(cpus):
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                cwd=cwd,
                start_new_session=True,  # a terminal's Ctrl-C is ours to handle, not the child's
            )
        timed_out = False
        try:
            output, _ = process.communicate(timeout=min(timeout_s, MAX_TIMEOUT_S))
        except subprocess.TimeoutExpired:
            _kill_group(process)
            output, timed_out = process.communicate()[0], True
        except BaseException:
            _kill_group(process)
            process.communicate()
            raise
        answer, noise = output.decode(errors="replace"), decode_bounded(_ends_of(errors))
        return FinishedProcess(process.returncode, answer, noise, timed_out)


@contextlib.contextmanager
def _lent(cpus: Sequence[int]) -> Iterator[None]:
    """Give this thread the mask while its child is born under it.

    A preexec function would need no lending, but may deadlock where other threads run.
    """
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        with contextlib.suppress(OSError):  # the child pins itself too, and can say what is wrong
            os.sched_setaffinity(0, cpus)
        yield
    finally:
        os.sched_setaffinity(0, before)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _ends_of(file: IO[bytes]) -> bytes:
    """Return a little more than is kept, of a file that may be large."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size <= 2 * MAX_OUTPUT_BYTES:
        return file.read()
    head = file.read(MAX_OUTPUT_BYTES)
    file.seek(size - MAX_OUTPUT_BYTES)
    return head + file.read()


def decode_bounded(data: bytes) -> str:
    """Return output as text, cut in the middle where it exceeds ``MAX_OUTPUT_BYTES``."""
    if len(data) > MAX_OUTPUT_BYTES:
        half = MAX_OUTPUT_BYTES // 2
        data = data[:half] + CUT + data[-half + len(CUT) :]
    return data.decode("utf-8", errors="replace")


def build_python_environment() -> dict[str, str]:
    """Return this process's environment, with which a child also finds this package.

    The package may not be installed. The child does not look for modules in the user's folder: a
    numpy.py there is not ours.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    if str(PACKAGE_ROOT) not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        inherited = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [inherited, str(PACKAGE_ROOT)]))
    return environment
