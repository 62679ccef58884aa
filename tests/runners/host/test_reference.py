"""What LiteRT on this machine makes of an input that it is given or draws itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.runners.host.reference import compute_reference
from tests.lowering.rewrites.graphs import IMAGE, table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(table(rows=20))
    return path


def values(raw: tuple[tuple[int, ...], bytes], dtype: str) -> np.ndarray:
    shape, data = raw
    return np.frombuffer(data, dtype).reshape(shape)


def test_inputs_are_such_as_the_model_takes(path: Path) -> None:
    drawn = compute_reference(path).inputs
    assert set(values(drawn["t0"], "int32").ravel()) <= {0, 1}  # 0 to 99 is out of the table
    image = values(drawn["t1"], "float32")
    assert image.shape == IMAGE
    assert image.min() < -1 < 1 < image.max()


def test_a_given_range_holds_for_all_inputs(path: Path) -> None:
    drawn = compute_reference(path, input_range=(5.0, 7.0)).inputs
    assert set(values(drawn["t0"], "int32").ravel()) <= {5, 6, 7}
    image = values(drawn["t1"], "float32")
    assert 5 <= image.min() < image.max() <= 7
    with pytest.raises(InputFileError, match=r"m\.tflite: LiteRT here cannot run it: .*out of bou"):
        compute_reference(path, input_range=(20.0, 99.0))


def test_given_values_are_taken_as_they_are(path: Path, tmp_path: Path) -> None:
    words, image = np.array([3, 1, 4, 1], np.int32), np.full(IMAGE, 0.25, np.float32)
    given = tmp_path / "inputs.bin"
    given.write_bytes(words.tobytes() + image.tobytes())
    found = compute_reference(path, given=given)
    assert found.inputs["t0"] == ((1, 4), words.tobytes())
    rows = np.random.RandomState(0).rand(20, 3).astype(np.float32)
    assert found.outputs[0] == ("float32", rows[words].tobytes())
    assert found.outputs[1] == ("float32", image.tobytes())
