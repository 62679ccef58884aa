"""The size of an ONNX model with the weights that lie beside it."""

from __future__ import annotations

import os

import pytest

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.external_data import external_bytes
from tests import small_models

onnx = pytest.importorskip("onnx")


def saved(path, location: str, times: int = 1):
    """``tiny`` with its weights in the file ``location`` beside ``path``."""
    model = onnx.load_from_string(small_models.onnx())
    first = model.graph.initializer[0]
    first.raw_data = onnx.numpy_helper.to_array(first).tobytes()
    first.ClearField("float_data")
    onnx.external_data_helper.set_external_data(first, location)
    for number in range(1, times):
        model.graph.initializer.add().CopyFrom(first)
        model.graph.initializer[number].name = f"w{number}"
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    return path


def test_the_weights_beside_it_are_part_of_its_size(tmp_path):
    path = saved(tmp_path / "m.onnx", "m.onnx.data", times=3)
    (tmp_path / "m.onnx.data").write_bytes(bytes(432))
    assert artifact_of(path).size_bytes == path.stat().st_size + 432  # once, though three use it


def test_a_whole_model_is_as_large_as_its_file(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(small_models.onnx())
    assert artifact_of(path).size_bytes == path.stat().st_size


@pytest.mark.parametrize(
    "location", ["absent.bin", "../out.bin", "/etc/passwd", "pipe", "", "a\0b"]
)
def test_only_files_beside_it_count(tmp_path, location):
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "out.bin").write_bytes(bytes(9))
    os.mkfifo(folder / "pipe")
    assert external_bytes(saved(folder / "m.onnx", location)) == 0


def test_a_damaged_file_has_none(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"\xff" * 64)
    assert external_bytes(tmp_path / "m.onnx") == 0
