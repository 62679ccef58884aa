"""Ctrl-C, a termination, or a converter that dies: no process, no folder, no half file is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import MARK, PROGRAM, ROOT, eventually, marked_processes
from tests.optional_packages import NEEDS_TORCH

WORKER = "onnx2tf_worker"
SMALL = ("--width", "0.5", "--resolution", "64", "--num-classes", "10")
EXPORT = ("export", *SMALL, "--format", "tflite")
COMPARE = ("compare", *SMALL, "--models", "ghostnetv1,ghostnetv2", "--launches", "1", "--runs", "1")


class Started:
    """A command under way, in a session of its own, with its own folder for temporary files."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.out, self.temporary, self.mark = folder / "out", folder / "tmp", folder.name
        self.temporary.mkdir()
        env = {**os.environ, "TMPDIR": str(self.temporary), MARK: self.mark}
        env["PYTHONPATH"] = str(ROOT)
        self.process = subprocess.Popen(
            [*PROGRAM, *args, "--out", str(self.out)],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []

    def wait_for(self, words: str) -> None:
        """Until it has written a line with ``words``."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return
        raise AssertionError(self.said)

    def workers(self) -> list[int]:
        return [pid for pid, command in marked_processes(self.mark) if WORKER in command]

    def end(self) -> list[str]:
        """What it still wrote on standard error, once it has ended."""
        out, rest = self.process.communicate(timeout=120)
        assert out == ""
        return rest.splitlines()

    def assert_nothing_left(self) -> None:
        assert self.finished_files() == set()

    def finished_files(self) -> set[str]:
        """The names of what was exported, each with its sidecar, and nothing else is there."""
        assert eventually(lambda: not list(marked_processes(self.mark)))
        assert list(self.temporary.glob("ghostdeploy-*")) == []
        found = {path.name for path in self.out.iterdir()} if self.out.exists() else set()
        models = {name for name in found if not name.endswith(".json")}
        assert found == models | {f"{name}.json" for name in models}
        return models


@pytest.fixture
def start(tmp_path):
    running: list[Started] = []

    def begin(*args: str) -> Started:
        running.append(Started(tmp_path, *args))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.communicate()


@NEEDS_TORCH
@pytest.mark.parametrize(
    "moment", ["building ghostnetv2", "exporting to ONNX", "converting to TFLite"]
)
def test_an_interrupted_export(start, moment):
    command = start(*EXPORT)
    command.wait_for(moment)
    assert eventually(command.workers)
    command.process.send_signal(signal.SIGINT)
    lines = [line for line in command.end() if line and not line.startswith("[")]
    assert command.process.returncode == 130
    assert lines == ["interrupted"]
    command.assert_nothing_left()


@NEEDS_TORCH
def test_a_terminated_export(start):
    command = start(*EXPORT)
    command.wait_for("exporting to ONNX")
    command.process.terminate()
    assert [line for line in command.end() if not line.startswith("[")] == []
    assert command.process.returncode == 143
    command.assert_nothing_left()


@NEEDS_TORCH
@pytest.mark.parametrize(
    ("send", "code"),
    [
        # A terminal's Ctrl-C goes to all the processes, the exports side by side among them.
        (lambda pid: os.killpg(pid, signal.SIGINT), 130),
        (lambda pid: os.kill(pid, signal.SIGTERM), 143),
    ],
)
def test_exports_side_by_side(start, send, code):
    command = start(*COMPARE)
    command.wait_for("exporting 2 models")
    assert eventually(lambda: len(command.workers()) == 2)
    send(command.process.pid)
    lines = [line for line in command.end() if line and not line.startswith("[")]
    assert command.process.returncode == code
    assert lines == ["interrupted"] * (code == 130)
    assert len(command.finished_files()) < 2  # one may have been quick


@NEEDS_TORCH
def test_a_converter_that_dies(start):
    command = start(*EXPORT)
    command.wait_for("comparing ONNX")
    (worker,) = command.workers()
    os.kill(worker, signal.SIGKILL)
    complaint, log = [line for line in command.end() if not line.startswith("[")]
    assert command.process.returncode == 3
    assert complaint.startswith("error: onnx2tf failed (exit -9): ")
    path = Path(log.removeprefix("log: "))
    assert path.parent == command.temporary
    path.unlink()
    command.assert_nothing_left()


INTERRUPT_IMPORT = """
import os, signal, sys

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
from ghostdeploy.__main__ import main
main()
"""


def test_an_interruption_during_the_first_imports():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT_IMPORT], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
