"""The command line as a user has it: real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from tests.optional_packages import package_said_absent
from tests.warm_start import may_start_warm, run_warm

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "ghostdeploy")
MARK = "GHOSTDEPLOY_TEST_MARK"
TIMEOUT_S = 900

# Several processes share the cores here, and torch's threads spin while they wait for one.
os.environ["OMP_NUM_THREADS"] = "1"


def ghostdeploy(
    *args: object, env: Mapping[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end. ``env`` is added to this process's own.

    The test is skipped where the command lacks a package that this Python does without.
    """
    done = run(list(map(str, args)), {**os.environ, **(env or {})}, options)
    if done.returncode == 3 and (package := package_said_absent(done.stderr)):
        pytest.skip(f"{package} is not installed")
    return done


def run(
    words: list[str], environment: dict[str, str], options: dict[str, object]
) -> subprocess.CompletedProcess[str]:
    if set(options) <= {"cwd"} and may_start_warm(environment):
        folder = Path(cast("str | Path", options.get("cwd", "."))).resolve()
        return run_warm("ghostdeploy", words, environment, folder, TIMEOUT_S)
    return subprocess.run(
        [*PROGRAM, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        **options,  # type: ignore[call-overload]
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a failed command, once it is clear that there is nothing else."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert done.stdout == ""
    return lines[0].removeprefix("error: ")


def marked_processes(mark: str) -> Iterator[tuple[int, str]]:
    """(id, command line) of every live process that was started with ``MARK=mark``."""
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if command:  # a zombie has none
                    yield int(folder.name), command
        except (OSError, UnicodeDecodeError):
            continue


def eventually(true: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether ``true`` becomes so in time; a minute is there for a busy machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False
