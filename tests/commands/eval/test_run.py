"""Accuracy on labelled images, counted again by hand; interruptions; what does not fit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ghostdeploy.commands.eval.kept import read_answers
from ghostdeploy.images.decoding import decode_image
from ghostdeploy.images.folders import find_images
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.lowering import inference
from tests.command_line import (
    MARK,
    PROGRAM,
    complaint,
    eventually,
    ghostdeploy,
    marked_processes,
)
from tests.conftest import CHECKPOINT, TRAINED

HOW = Preprocessing((96, 96))


def evaluate(*words):
    done = ghostdeploy("eval", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def by_hand(trained, shapes):
    """Whether fp32 is right on each test image, by LiteRT alone."""
    interpreter = Interpreter(str(trained.path("tflite")), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    names = sorted(p.name for p in (shapes / "test").iterdir())
    right = []
    for file in find_images(shapes / "test"):
        image = HOW.finish(decode_image(file, HOW)).transpose(1, 2, 0)[None]
        interpreter.set_tensor(source["index"], np.ascontiguousarray(image))
        interpreter.invoke()
        best = int(interpreter.get_tensor(target["index"]).argmax())
        right.append(names[best] == file.parent.name)
    return right


def test_all_forms_of_a_network_on_one_decode(trained, trained_int8, shapes, tmp_path, by_hand):
    found = evaluate(
        trained.path("onnx"), trained_int8.path("tflite"), "ghostnetv2", *TRAINED,
        "--against", trained.path("tflite"), "--data", shapes / "test", "--records", tmp_path,
    )  # fmt: skip
    fp32, onnx, int8, torch = found["accuracies"]
    assert fp32["top1"]["value"] == pytest.approx(np.mean(by_hand))
    assert fp32["top1"]["value"] > 0.9  # it was really trained
    assert fp32["images"] == 120
    assert sum(right for right, _ in fp32["per_class"]) == sum(by_hand)
    assert onnx["top1"] == fp32["top1"] == torch["top1"]
    assert torch["name"].endswith("(torch)")
    assert int8["top1"]["value"] > fp32["top1"]["value"] - 0.05
    pair = next(p for p in found["paired"] if p["name"] == int8["name"])
    lost = pair["only_base"] - pair["only_this"]
    assert pair["difference"]["value"] == pytest.approx(-lost / 120)


def test_an_interrupted_evaluation_goes_on(trained, shapes, tmp_path):
    words = (trained.path("tflite"), "--data", shapes / "test", "--records", tmp_path)
    first = evaluate(*words)
    (kept,) = tmp_path.glob("eval-*.jsonl")
    lines = kept.read_text().splitlines(keepends=True)
    # The last line was cut short; a wrong answer that is kept proves that it is not made anew.
    number, best = json.loads(lines[0])
    wrong = [[(b + 1) % 10 for b in row] for row in best]
    kept.write_text("".join([json.dumps([number, wrong]) + "\n", *lines[1:50], lines[50][:5]]))
    second = evaluate(*words)
    assert second["accuracies"][0]["images"] == 120
    difference = first["accuracies"][0]["top1"]["value"] - second["accuracies"][0]["top1"]["value"]
    assert difference == pytest.approx(1 / 120) or difference == pytest.approx(0)
    assert len(kept.read_text().splitlines()) == 120


def test_outputs_are_compared_and_limits_are_held(trained, trained_int8, shapes, tmp_path):
    fp32, int8 = trained.path("tflite"), trained_int8.path("tflite")
    words = ("--against", fp32, "--data", shapes / "test", "--limit", "12", "--records", tmp_path)
    (pair,) = evaluate(int8, *words)["paired"]
    signal = noise = 0.0
    files = find_images(shapes / "test")
    runs = [inference.load_tflite(path.read_bytes()) for path in (fp32, int8)]
    for file in (files[n * len(files) // 12] for n in range(12)):
        image = HOW.finish(decode_image(file, HOW))[None]
        before, after = (next(iter(run(image).values())).astype(float) for run in runs)
        signal, noise = signal + (before**2).sum(), noise + ((before - after) ** 2).sum()
    assert pair["snr_db"] == pytest.approx(10 * np.log10(signal / noise), abs=0.1)
    assert pair["constant"] == []
    limits = ("--min-snr", pair["snr_db"] + 1, "--min-agreement", "1%", "--max-drop", "100")
    done = ghostdeploy("eval", int8, *words, *limits, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)["verdicts"][int8.name]
    assert found["passed"] is False
    assert len(found["failures"]) == 1
    limits = ("--min-snr", pair["snr_db"] - 1, "--max-drop", "100")
    assert ghostdeploy("eval", int8, *words, *limits).returncode == 0


def test_limits_need_another_model(trained, shapes):
    done = ghostdeploy("eval", trained.path("tflite"), "--data", shapes / "test", "--min-snr", "1")
    assert done.returncode == 2
    assert "--against" in complaint(done)


def test_answers_without_sums_are_made_again_where_outputs_are_compared(tmp_path):
    path = tmp_path / "eval-0.jsonl"
    lines = [
        [0, [[1], [2]]], [1, [[1], [2]], [[4.0, 0.0], [5.0, 1.0]]], [2, "damaged"],
        [3, [[1], [2], [3]]], [4], ["5", [[1], [2]]], [6, [[], []]], {"7": 1},
        [8, [[1], [2]], [[4.0], [5.0]]], [9, [["a"], [2]]],
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert sorted(read_answers(path, 2, compared=False)) == [0, 1, 2, 8]
    assert sorted(read_answers(path, 2, compared=True)) == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_process_outlives_an_evaluation(number, trained, shapes, tmp_path):
    mark = f"eval-{number}-{os.getpid()}"
    program = subprocess.Popen(
        [*PROGRAM, "eval", str(trained.path("tflite")), "--data", str(shapes / "test"),
         "--records", str(tmp_path)],
        env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    many = min(2, len(os.sched_getaffinity(0)))
    assert eventually(lambda: len([*marked_processes(mark)]) > many or program.poll() is not None)
    program.send_signal(number)
    program.communicate(timeout=60)
    assert eventually(lambda: not [*marked_processes(mark)], seconds=20)


def test_unusable_images_are_counted(trained, shapes, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(shapes / "test", data)
    victims = find_images(data)
    victims[0].write_bytes(b"")
    victims[1].write_bytes(b"no image at all")
    found = evaluate(trained.path("tflite"), "--data", data, "--records", tmp_path)
    assert found["accuracies"][0]["images"] == 118
    assert found["skipped"] == "2 images skipped (1 damaged, 1 empty)"


def test_classes_that_do_not_match_are_said(trained, shapes, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(shapes / "test", data)
    shutil.rmtree(next(data.iterdir()))
    done = ghostdeploy("eval", trained.path("tflite"), "--data", data, "--records", tmp_path)
    assert done.returncode == 2
    assert "tells 10 classes apart" in complaint(done)
    assert "has 9" in complaint(done)


def test_a_checkpoint_of_another_network_is_one_line(shapes, tmp_path):
    done = ghostdeploy(
        "eval", "ghostnetv1", *TRAINED, "--data", shapes / "test", "--records", tmp_path
    )
    assert done.returncode == 2
    assert CHECKPOINT.name in complaint(done)
