"""Models that their runtime dies of are found in a process that may die."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.runners.host.trial_run import refuse_deadly
from tests import small_models
from tests.linting.models import TfliteGraph


@pytest.fixture
def deadly(tmp_path: Path) -> Path:
    """An operator that reads what only a later one writes: LiteRT has no memory for it yet."""
    graph = TfliteGraph()
    model = graph.model_t(graph.pool(graph.step("relu", graph.input), "AVERAGE_POOL_2D"))
    first, last = model.subgraphs[0].operators
    first.inputs = np.array(last.outputs)
    path = tmp_path / "deadly.tflite"
    path.write_bytes(flatbuffer.dump(model))
    return path


def test_a_model_that_its_runtime_dies_of_is_refused(deadly: Path) -> None:
    with pytest.raises(InputFileError, match=r"LiteRT dies of it \(SIG[A-Z]+\)") as refused:
        refuse_deadly(deadly)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("ending", ["tflite", "onnx"])
def test_a_sound_model_is_let_through(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"m.{ending}"
    path.write_bytes(getattr(small_models, ending)())
    refuse_deadly(path)


def test_what_is_merely_refused_is_for_the_caller_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small_models.tflite("custom"))
    refuse_deadly(path)
