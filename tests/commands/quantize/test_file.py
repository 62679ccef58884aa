"""Quantized files of a network that was really trained, judged by LiteRT and onnxruntime."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from ghostdeploy.flatbuffer import load_file
from ghostdeploy.images.decoding import decode_image
from ghostdeploy.images.folders import find_images
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.linting.delegates.partitions import measure_partitions
from ghostdeploy.quantization import RECIPES
from ghostdeploy.records import read_artifact
from tests.command_line import complaint, ghostdeploy
from tests.conftest import TRAINED

HOW = Preprocessing((96, 96))


@pytest.fixture(scope="module")
def pictures(shapes):
    """(N, 96, 96, 3) test images as the network takes them."""
    files = find_images(shapes / "test")[::4]
    return np.stack([HOW.finish(decode_image(file, HOW)) for file in files]).transpose(0, 2, 3, 1)


def logits(path, images) -> np.ndarray:
    """What LiteRT makes of them; quantized by hand where the file takes int8."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for image in images[:, None]:
        scale, zero = source["quantization"]
        if source["dtype"] == np.int8:
            image = np.clip(np.rint(image / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        value = interpreter.get_tensor(target["index"])[0]
        scale, zero = target["quantization"]
        found.append((value.astype(np.float32) - zero) * scale if scale else value)
    return np.array(found)


def quantize(*words, **options):
    done = ghostdeploy("quantize", *words, **options)
    assert done.returncode == 0, done.stderr
    return done


def test_int8_is_one_partition_with_int8_in_and_out(trained_int8):
    path = trained_int8.path("tflite")
    found = measure_partitions(path)
    assert found is not None
    assert (found.kernels, found.outside) == (1, ())
    interpreter = Interpreter(str(path))
    details = (*interpreter.get_input_details(), *interpreter.get_output_details())
    assert [d["dtype"] for d in details] == [np.int8, np.int8]


def test_nothing_is_rescaled_on_the_way(trained_int8):
    """The gates' copies keep their scale: 14 rescalings less than with ranges of their own."""
    assert "QUANTIZE" not in trained_int8.artifact("tflite").op_counts


def test_the_fast_form_is_the_same_bits(trained_int8, trained_int8_fast, pictures):
    before, after = (made.path("tflite") for made in (trained_int8, trained_int8_fast))
    assert after.name == before.name.replace(".tflite", "_fast.tflite")
    done = trained_int8_fast.artifact("tflite").rewrites
    assert any(line.startswith("gate-broadcast ×") for line in done), done
    found = measure_partitions(after)
    assert found is not None
    assert (found.kernels, found.outside) == (1, ())
    np.testing.assert_array_equal(logits(after, pictures), logits(before, pictures))


def test_float_inputs_and_outputs(trained, shapes, tmp_path, pictures):
    out = tmp_path / "float_io.tflite"
    quantize(
        trained.path("tflite"), "--precision", "int8-float-io", "--out", out,
        "--calibration", shapes / "calibration", "--calibration-size", "16",
    )  # fmt: skip
    interpreter = Interpreter(str(out))
    details = (*interpreter.get_input_details(), *interpreter.get_output_details())
    assert [d["dtype"] for d in details] == [np.float32, np.float32]
    found = measure_partitions(out)
    assert found is not None
    assert (found.kernels, found.outside) == (1, ())
    agree = logits(out, pictures).argmax(1) == logits(trained.path("tflite"), pictures).argmax(1)
    assert agree.mean() > 0.9


def test_weights_are_quantized_per_channel(trained_int8):
    graph = load_file(trained_int8.path("tflite")).subgraphs[0]
    scales = [len(t.quantization.scale) for t in graph.tensors if t.quantization is not None
              and t.quantization.scale is not None]  # fmt: skip
    assert sum(n > 1 for n in scales) > 100


def test_int8_answers_as_fp32_does(trained, trained_int8, pictures):
    before, after = (logits(x.path("tflite"), pictures) for x in (trained, trained_int8))
    noise = ((before - after) ** 2).sum()
    assert 10 * np.log10((before**2).sum() / noise) > 15
    assert (before.argmax(1) == after.argmax(1)).mean() > 0.9


def test_the_sidecar_says_how_it_was_made_and_what_it_cost(trained_int8, shapes):
    artifact = trained_int8.artifact("tflite")
    made = artifact.quantization
    assert made is not None
    assert not made.calibration.synthetic
    assert made.calibration.source == "calibration"
    assert made.calibration.size == 40  # of 60, a third being held out
    assert made.error is not None
    assert made.error.inputs == 20
    assert made.error.snr_db > 15
    assert len(made.error.layers) > 200
    assert "blocks.2.0.ghost1/concat" in {c.name for c in made.error.concatenations}
    assert artifact.parity[0].passed


def test_the_file_itself_says_its_precision(trained_int8):
    done = ghostdeploy("verify", trained_int8.path("tflite"), "--weights", "nowhere")
    assert done.returncode == 2  # it knows that it was made from a checkpoint
    from ghostdeploy.lowering.metadata import read_facts

    facts = read_facts(trained_int8.model("tflite"))
    assert facts["ghostdeploy.precision"] == "int8"
    calibration = json.loads(facts["ghostdeploy.calibration"])
    assert calibration == json.loads(json.dumps(vars(
        trained_int8.artifact("tflite").quantization.calibration)))  # fmt: skip


def test_a_file_is_quantized_like_a_network(trained, shapes, tmp_path, pictures):
    out = tmp_path / "small.tflite"
    report = tmp_path / "layers.csv"
    done = quantize(
        trained.path("tflite"), "--calibration", shapes / "calibration", "--out", out,
        "--keep-float", "blocks.3.0.se", "--report", report,
    )  # fmt: skip
    assert "in float: blocks.3.0.se" in done.stdout
    graph = load_file(out).subgraphs[0]
    floats = [t.name.decode() for t in graph.tensors if t.type == 0 and t.name]
    assert any(name.startswith("blocks.3.0.se") for name in floats)
    assert not any(name.startswith("blocks.4.0") for name in floats)
    agree = logits(out, pictures).argmax(1) == logits(trained.path("tflite"), pictures).argmax(1)
    assert agree.mean() > 0.9
    made = read_artifact(out.with_name(out.name + ".json"))
    assert made.quantization is not None
    assert "equalize" not in made.quantization.switches  # that takes the network
    assert made.op_counts["DEPTHWISE_CONV_2D"] > 80  # the poolings, too
    lines = report.read_text().splitlines()
    assert lines[0] == "position,name,module,snr_db,saturated"
    assert len(lines) > 200


def test_switches_of_files(trained, shapes, tmp_path, pictures):
    """What needs no network works on a file, too, and is written down."""
    out = tmp_path / "switched.tflite"
    quantize(
        trained.path("tflite"), "--calibration", shapes / "calibration", "--out", out,
        "--ranges", "mse", "--bias-correction", "--halves", "apart",
    )  # fmt: skip
    artifact = read_artifact(out.with_name(out.name + ".json"))
    assert artifact.quantization is not None
    assert artifact.quantization.kernels == 1
    assert {"ranges=mse", "bias-correction", "halves=apart"} <= {*artifact.quantization.switches}
    assert artifact.op_counts["SPLIT"] > 10
    assert ghostdeploy("lint", out).returncode == 0  # the network's structure is still seen
    agree = logits(out, pictures).argmax(1) == logits(trained.path("tflite"), pictures).argmax(1)
    assert agree.mean() > 0.9


def test_qdq_runs_in_onnxruntime(trained, shapes, tmp_path, pictures):
    out = tmp_path / "small.onnx"
    quantize(
        trained.path("onnx"), "--precision", "int8-qdq", "--out", out,
        "--calibration", shapes / "calibration",
    )  # fmt: skip
    sessions = [onnxruntime.InferenceSession(p) for p in (trained.path("onnx"), out)]
    nchw = pictures.transpose(0, 3, 1, 2)
    before, after = (
        np.concatenate([s.run(None, {"image": x[None]})[0] for x in nchw]) for s in sessions
    )
    facts = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert facts["ghostdeploy.precision"] == "int8-qdq"
    assert json.loads(facts["ghostdeploy.calibration"])["size"] == 40
    assert out.stat().st_size < 0.6 * trained.path("onnx").stat().st_size
    assert not np.array_equal(before, after)
    error = read_artifact(out.with_name(out.name + ".json")).quantization.error
    assert len(error.layers) > 200
    assert {"act1/relu", "blocks.2.0.ghost1/concat"} <= {layer.name for layer in error.layers}
    assert 10 < error.worst(1)[0].snr_db < error.snr_db + 20
    assert any(layer.saturated > 0 for layer in error.layers)
    assert (before.argmax(1) == after.argmax(1)).mean() > 0.9


def test_synthetic_calibration_is_said_plainly(trained, tmp_path):
    out = tmp_path / "synthetic.tflite"
    done = quantize(trained.path("tflite"), "--calibration-size", "8", "--out", out)
    assert "8 SYNTHETIC IMAGES: accuracy will suffer" in done.stdout
    made = read_artifact(out.with_name(out.name + ".json")).quantization
    assert made is not None
    assert made.calibration.synthetic


BAD = {
    "an array of another size": (
        ("--calibration", "ARRAY"), r"the model takes images of [N, 96, 96, 3]"
    ),
    "a folder of one image": (("--calibration", "ONE"), "1 usable image; at least 8 are needed"),
    "a layer that there is not": (("--keep-float", "blocks.77"), "no layer is called 'blocks.77'"),
    "an unknown precision": (("--precision", "int4"), "precision must be one of fp32, fp16"),
    "one without calibration": (("--precision", "dynamic"), "export --precision dynamic"),
    "another format": (("--precision", "int8-qdq"), "int8-qdq is made of a .onnx file"),
    "ranges that need the network": (("--ranges", "bn"), "bn ranges need the network"),
    "frames for a file that normalizes not": (
        ("--input-type", "uint8"), "it needs export --embed-preprocessing"
    ),
    "no folder": (("--calibration", "nowhere"), "nowhere does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_the_earlier_file(case, trained, tmp_path, shapes):
    np.save(tmp_path / "array.npy", np.zeros((9, 64, 64, 3), np.uint8))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.png").write_bytes(find_images(shapes / "test")[0].read_bytes())
    places = {"ARRAY": tmp_path / "array.npy", "ONE": tmp_path / "one"}
    words, expected = BAD[case]
    out = tmp_path / "earlier.tflite"
    out.write_bytes(b"an earlier artifact")
    done = ghostdeploy(
        "quantize", trained.path("tflite"), "--calibration-size", "8", "--out", out,
        *[places.get(word, word) for word in words],
    )  # fmt: skip
    assert done.returncode == 2
    assert expected in complaint(done)
    assert out.read_bytes() == b"an earlier artifact"


def test_an_export_that_fails_late_leaves_the_earlier_files(trained_int8, shapes, tmp_path):
    """The layer is looked for once the network is converted and proven."""
    for file in trained_int8.folder.iterdir():
        shutil.copy(file, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = ghostdeploy(
        "export", *TRAINED, "--precision", "int8", "--calibration", shapes / "calibration",
        "--keep-float", "blocks.77", "--out", tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no layer is called 'blocks.77'" in complaint(done)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_quantization_that_fails_late_leaves_the_earlier_file(trained, shapes, tmp_path):
    out = tmp_path / "earlier.tflite"
    out.write_bytes(b"an earlier artifact")
    done = ghostdeploy(
        "quantize", trained.path("tflite"), "--out", out, "--auto-mixed", "150",
        "--calibration", shapes / "calibration", "--calibration-size", "8",
    )  # fmt: skip
    assert done.returncode == 3
    assert "an output SNR of 150 dB is out of reach" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["earlier.tflite"]
    assert out.read_bytes() == b"an earlier artifact"


def test_a_quantized_file_is_not_quantized_again(trained_int8, tmp_path):
    done = ghostdeploy("quantize", trained_int8.path("tflite"), "--out", tmp_path / "x.tflite")
    assert done.returncode == 2
    assert "is quantized already" in complaint(done)


def test_an_operator_that_the_runtime_lacks_is_named(tmp_path):
    from tests.lowering.rewrites.tiny import tiny

    t = tiny()
    a, b = t.tensor((1, 8, 8, 3)), t.tensor((1, 8, 8, 3))
    t.op("STABLEHLO_CBRT", [a], [b])
    path = tmp_path / "odd.tflite"
    path.write_bytes(t.bytes(a, b))
    done = ghostdeploy("quantize", path, "--calibration-size", "8", "--input-range", "0,1")
    assert done.returncode == 2
    assert "STABLEHLO_CBRT" in complaint(done)
    assert [p.name for p in tmp_path.iterdir()] == ["odd.tflite"]


def test_the_rewrites_around_quantization_exist():
    from ghostdeploy.lowering.rewrites import REWRITES
    from ghostdeploy.quantization import (
        FLOAT_REWRITES,
        INT8_REWRITES,
        INT8_SPEED,
        float_rewrites,
        int8_rewrites,
    )

    assert {*FLOAT_REWRITES, *INT8_REWRITES, *INT8_SPEED} <= set(REWRITES)
    assert set(INT8_SPEED).isdisjoint(INT8_REWRITES)
    assert int8_rewrites("int8", without=["late-concat"]) == INT8_REWRITES[:-1]
    assert int8_rewrites("int16x8", speed=INT8_SPEED) == ()
    assert float_rewrites("fp32") is None
    assert "nearest-depth" not in (float_rewrites("int16x8") or ())


def test_every_recipe_has_a_tolerance():
    from ghostdeploy.lowering.parity import TOLERANCES

    assert set(TOLERANCES) == set(RECIPES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--precision", "int8", "--format", "onnx"), "int8 comes as tflite, not as onnx"),
        (("--precision", "int8", "--features"), "int8 is judged by its logits"),
        (("--ranges", "widest"), "ranges must be one of minmax, percentile, mse"),
        (("--crop", "3"), "crop must be 0.1 to 1"),
        (("--halves", "third"), "halves must be one of joined, apart"),
        (
            ("--bias-correction", "--precision", "int16x8", "--format", "tflite"),
            "bias-correction is for int8 TFLite files, not for int16x8",
        ),
    ],
)
def test_export_refuses_what_makes_no_sense(words, expected, tmp_path):
    done = ghostdeploy("export", *words, "--out", tmp_path)
    assert done.returncode == 2
    assert expected in complaint(done)
