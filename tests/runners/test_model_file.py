"""Damaged files are known for what they are before a runtime can crash on them."""

from __future__ import annotations

import os
import random

import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.runners.model_file import check_model_file
from tests import small_models


def refused(path) -> str:
    with pytest.raises(InputFileError, match=r"^[^\n]+$") as caught:
        check_model_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


@pytest.mark.parametrize("name", ["tiny", "heavy", "mixed"])
def test_a_whole_model_passes(tmp_path, name):
    path = tmp_path / "m.tflite"
    path.write_bytes(small_models.tflite(name))
    check_model_file(path)
    (tmp_path / "m.onnx").write_bytes(small_models.onnx())
    check_model_file(tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["tiny", "mixed"])
def test_every_truncation_is_refused(tmp_path, name):
    whole = small_models.tflite(name)
    path = tmp_path / "m.tflite"
    for size in range(0, len(whole) - 8, 3):  # beyond that only padding is lost
        path.write_bytes(whole[:size])
        refused(path)


def test_random_bytes_are_refused(tmp_path):
    path = tmp_path / "m.tflite"
    rng = random.Random(3)
    for _ in range(50):
        noise = rng.randbytes(rng.randrange(1, 3000))
        path.write_bytes(noise)
        assert "is not a TFLite model" in refused(path)
        path.write_bytes(noise[:4] + b"TFL3" + noise)
        refused(path)


def test_a_length_that_leaves_the_file_is_refused(tmp_path):
    whole = small_models.tflite()
    weights = (3 * 3 * 3 * 8 * 4).to_bytes(4, "little")
    assert whole.count(weights) == 1
    (tmp_path / "m.tflite").write_bytes(whole.replace(weights, b"\xff\xff\xff\x7f"))
    assert "damaged TFLite model" in refused(tmp_path / "m.tflite")


def test_changed_bytes_never_crash_the_check(tmp_path):
    whole = small_models.tflite()
    path = tmp_path / "m.tflite"
    rng = random.Random(4)
    outcomes = set()
    for _ in range(200):
        data = bytearray(whole)
        data[rng.randrange(8, len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            check_model_file(path)
            outcomes.add("passed")
        except InputFileError:
            outcomes.add("refused")
    assert outcomes == {"passed", "refused"}


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "d.tflite").mkdir()
    os.mkfifo(tmp_path / "p.tflite")
    (tmp_path / "e.onnx").touch()
    (tmp_path / "l.tflite").symlink_to("nowhere")
    assert "is a folder" in refused(tmp_path / "d.tflite")
    assert "not a regular file" in refused(tmp_path / "p.tflite")
    assert "is empty" in refused(tmp_path / "e.onnx")
    assert "no such file" in refused(tmp_path / "l.tflite")
    assert "no such file" in refused(tmp_path / "n.tflite")
    assert "ends in .tflite or .onnx" in refused(tmp_path / "n.pth")
