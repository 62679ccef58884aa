"""Models on disk, and launches that a busy test machine does not invalidate."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.runners.arm.emulator_folder import locate_emulator
from ghostdeploy.runners.host import disturbance
from tests import small_models


@pytest.fixture(autouse=True)
def _any_steal_will_do(monkeypatch):
    monkeypatch.setattr(disturbance, "_too_much", lambda *_: False)


@pytest.fixture
def model(tmp_path) -> Path:
    """``tiny`` as TFLite."""
    path = tmp_path / "tiny.tflite"
    path.write_bytes(small_models.tflite())
    return path


@pytest.fixture
def heavy(tmp_path) -> Path:
    """A TFLite model of milliseconds a run: a million runs outlast any test."""
    path = tmp_path / "heavy.tflite"
    path.write_bytes(small_models.tflite("heavy"))
    return path


@pytest.fixture
def onnx_model(tmp_path) -> Path:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(small_models.onnx())
    return path


@pytest.fixture(scope="session")
def emulated() -> None:
    """Skips, visibly, where the emulator is not set up."""
    if not locate_emulator().complete:
        pytest.skip("no emulated Arm core here; run: ghostdeploy doctor --setup-qemu")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.tflite"
    path.write_bytes(small_models.tflite("tiny"))
    return path
