"""A process that is to end with the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.command_line import eventually

CHILD = """
import sys, time
from ghostdeploy.lifeline import die_with
die_with(int(sys.argv[1]))
print("alive", flush=True)
time.sleep(600)
"""
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_it_is_killed_with_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    lines = sorted(parent.stdout.readline().strip() for _ in range(2))
    assert lines[1] == "alive"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not _lives(int(lines[0])), seconds=20)


def _lives(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("module", ["quantization.worker", "lowering.onnx2tf_worker"])
def test_a_worker_whose_parent_is_gone_ends_at_once(module):
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = subprocess.run(
        [sys.executable, "-m", f"ghostdeploy.{module}", str(gone.pid)],
        env={**os.environ}, capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout + done.stderr == b""
