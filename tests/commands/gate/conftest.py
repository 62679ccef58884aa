"""A folder with models, a scripted device, and the command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostdeploy.cli.app import main
from tests import small_models
from tests.commands.gate.scripted import Script, install


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of an error, once it is clear that there is nothing else."""
        lines = [line for line in self.err.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


Command = Callable[..., Done]


@pytest.fixture
def script(monkeypatch) -> Script:
    return install(monkeypatch, Script())


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder: ``a`` and ``b`` of one input, ``wide`` of another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where the device's queue is
    monkeypatch.setattr("tempfile.tempdir", None)
    for variable in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    tiny = small_models.tflite()
    (tmp_path / "a.tflite").write_bytes(tiny)
    (tmp_path / "b.tflite").write_bytes(tiny + bytes(16))
    (tmp_path / "wide.tflite").write_bytes(small_models.tflite("heavy"))
    return tmp_path


@pytest.fixture
def gate(folder, script, monkeypatch, capfd) -> Command:
    """``ghostdeploy gate WORDS --device scripted``."""

    def run(*words: object, device: str = "scripted") -> Done:
        argv = ["ghostdeploy", "gate", *map(str, words)]
        monkeypatch.setattr(sys, "argv", [*argv, "--device", device] if device else argv)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, out, err)

    return run
