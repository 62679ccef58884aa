"""Three files of one tiny model, on a machine that may be busy."""

from __future__ import annotations

import pytest

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.runners.host import disturbance
from ghostdeploy.schema import Artifact
from tests import small_models


@pytest.fixture(autouse=True)
def _any_steal_will_do(monkeypatch):
    monkeypatch.setattr(disturbance, "_too_much", lambda *_: False)


@pytest.fixture
def models(tmp_path) -> list[Artifact]:
    """Three files of the same tiny model."""
    made = []
    for name in "abc":
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(small_models.tflite())
        made.append(artifact_of(path))
    return made
