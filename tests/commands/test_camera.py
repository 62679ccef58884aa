"""An int8 file that takes camera frames: every command takes it, and it answers as fp32 does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ghostdeploy.images.decoding import decode_image
from ghostdeploy.images.folders import find_images
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.lint.delegates.partitions import measure_partitions
from tests.command_line import complaint, ghostdeploy
from tests.conftest import CHECKPOINT

HOW = Preprocessing((96, 96))


@pytest.fixture
def path(camera_int8):
    return camera_int8.path("tflite")


def answers(path, images) -> list[int]:
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    found = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        target = interpreter.get_output_details()[0]["index"]
        found.append(int(interpreter.get_tensor(target).argmax()))
    return found


def test_it_takes_bytes_as_they_are_and_answers_as_fp32_does(path, trained, shapes):
    (source,) = Interpreter(str(path)).get_input_details()
    assert (source["dtype"], source["quantization"]) == (np.uint8, (1.0, 0))
    frames = np.stack([decode_image(file, HOW) for file in find_images(shapes / "test")[::2]])
    floats = HOW.finish(frames).transpose(0, 2, 3, 1)
    same = np.array(answers(path, frames)) == answers(trained.path("tflite"), floats)
    assert same.mean() > 0.9


def test_one_partition_and_the_shift_in_front(path):
    found = measure_partitions(path)
    assert found is not None
    assert (found.kernels, len(found.outside)) == (1, 1)


def test_the_name_and_the_sidecar_say_so(camera_int8):
    assert "_rgb255_uint8_" in camera_int8.path("tflite").name
    made = camera_int8.artifact("tflite").quantization
    assert made is not None
    assert "input=uint8" in made.switches


def test_verify_lint_and_eval_take_it(path, shapes, tmp_path):
    done = ghostdeploy("verify", path, "--weights", CHECKPOINT)
    assert done.returncode == 0, done.stderr
    assert ghostdeploy("lint", path).returncode == 0
    done = ghostdeploy("eval", path, "--data", shapes / "test", "--records", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracies"][0]["top1"]["value"] > 0.9


def test_bench_takes_it(path, tmp_path):
    words = ("--launches", "1", "--runs", "3", "--warmup", "1", "--max-disturbance", "1")
    done = ghostdeploy("bench", path, *words, "--records", tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--input-type", "uint8"), "it needs export --embed-preprocessing"),
        (("--input-type", "int4"), "input-type must be one of int8, uint8"),
        (
            ("--input-type", "uint8", "--embed-preprocessing", "--precision", "int8-float-io"),
            "a uint8 input goes with --precision int8, not with int8-float-io",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(words, expected, tmp_path):
    done = ghostdeploy("export", "--precision", "int8", *words, "--out", tmp_path)
    assert done.returncode == 2
    assert expected in complaint(done)
