"""A model small enough to emulate in a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.runners.arm.emulator_folder import place
from tests import small_models


@pytest.fixture(scope="session")
def emulated() -> None:
    """Skips, visibly, where the emulator is not set up."""
    if not place().complete:
        pytest.skip("no emulated Arm core here; run: ghostdeploy doctor --setup-qemu")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.tflite"
    path.write_bytes(small_models.tflite("tiny"))
    return path
