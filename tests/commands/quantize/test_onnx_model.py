"""ONNX files of others: weights beside the file, old operator sets, what onnxruntime refuses."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.lowering.onnx_files import find_external_files, read_whole_onnx
from ghostdeploy.quantization import opset
from tests.command_line import complaint, ghostdeploy

WORDS = ("--precision", "int8-qdq", "--input-range", "0,1", "--calibration-size", "8")


def network(version: int = 17, ir_version: int = 8, tail: tuple = ()) -> onnx.ModelProto:
    """(1, 3, 16, 16) → 5 logits; ``tail`` are nodes from ``conv`` to ``mapped``."""
    random = np.random.RandomState(0)
    weights = {
        "w1": random.randn(8, 3, 3, 3), "w2": random.randn(5, 8, 1, 1)
    }  # fmt: skip
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["conv"], name="first"),
        *(tail or [helper.make_node("Relu", ["conv"], ["mapped"], name="relu")]),
        helper.make_node("Conv", ["mapped", "w2"], ["maps"], name="second"),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["logits"], name="flat"),
    ]
    graph = helper.make_graph(
        nodes,
        "others",
        [value("image", TensorProto.FLOAT, [1, 3, 16, 16])],
        [value("logits", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    opsets = [helper.make_opsetid("", version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def logits(path, image):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})[0]


@pytest.fixture
def apart(tmp_path):
    """A file whose weights lie in another file beside it."""
    path = tmp_path / "apart.onnx"
    onnx.save(network(), path, save_as_external_data=True, location="apart.bin", size_threshold=0)
    return path


def test_weights_beside_the_file_are_read(apart):
    image = np.random.RandomState(1).rand(1, 3, 16, 16).astype(np.float32)
    whole = apart.with_name("whole.onnx")
    whole.write_bytes(read_whole_onnx(apart))
    assert [path.name for path in find_external_files(apart)] == ["apart.bin"]
    assert find_external_files(whole) == ()
    expected = logits(apart, image)
    apart.with_name("apart.bin").unlink()
    np.testing.assert_array_equal(logits(whole, image), expected)
    with pytest.raises(InputFileError, match=r"apart\.bin"):
        read_whole_onnx(apart)


def test_a_file_without_others_is_read_as_it_is(tmp_path):
    path = tmp_path / "one.onnx"
    onnx.save(network(), path)
    assert read_whole_onnx(path) == path.read_bytes()


def test_weights_that_lie_elsewhere_are_refused(apart, tmp_path):
    model = onnx.load(apart, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../apart.bin"
    apart.write_bytes(model.SerializeToString())
    with pytest.raises(InputFileError, match="cannot be read whole"):
        read_whole_onnx(apart)


def test_a_file_with_weights_beside_it_is_quantized_and_judged(apart, tmp_path):
    out = tmp_path / "int8.onnx"
    done = ghostdeploy("quantize", apart, *WORDS, "--out", out, "--min-snr", "5", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"]["passed"] is True
    assert told["quantization"]["error"]["snr_db"] == told["verdict"]["measured"]["snr_db"] > 5
    image = np.random.RandomState(1).rand(1, 3, 16, 16).astype(np.float32)
    before, after = logits(apart, image), logits(out, image)
    assert np.linalg.norm(after - before) < 0.2 * np.linalg.norm(before)
    assert not find_external_files(out)


def test_a_limit_that_is_not_kept_ends_with_1_and_keeps_the_file(apart, tmp_path):
    out = tmp_path / "int8.onnx"
    words = ("quantize", apart, *WORDS, "--out", out, "--min-snr", "150")
    done = ghostdeploy(*words, "--json")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: {out}: SNR ")
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["passed"] is False
    assert verdict["limits"]["min_snr"] == 150
    assert out.exists()
    assert out.with_name("int8.onnx.json").exists()


def test_an_old_operator_set_is_raised_and_quantized_per_channel(tmp_path):
    path, out = tmp_path / "old.onnx", tmp_path / "int8.onnx"
    onnx.save(network(version=11, ir_version=6), path)
    done = ghostdeploy("quantize", path, *WORDS, "--out", out)
    assert done.returncode == 0, done.stderr
    made = onnx.load(out)
    assert opset.opset_of(made) >= 13
    axes = [a for n in made.graph.node if n.op_type == "DequantizeLinear" for a in n.attribute]
    assert any(a.name == "axis" for a in axes)


def test_a_network_that_the_version_converter_changes_is_refused(tmp_path):
    """Softmax up to 12 flattens what follows its axis; onnx's converter writes 13 otherwise."""
    path, out = tmp_path / "old.onnx", tmp_path / "int8.onnx"
    soft = helper.make_node("Softmax", ["conv"], ["mapped"], name="soft", axis=1)
    onnx.save(network(version=12, ir_version=6, tail=(soft,)), path)
    image = np.random.RandomState(1).rand(1, 3, 16, 16).astype(np.float32)
    raised = tmp_path / "raised.onnx"
    onnx.save(opset.raise_opset(onnx.load(path), 13), raised)
    same = np.allclose(logits(path, image), logits(raised, image), rtol=1e-3)
    done = ghostdeploy("quantize", path, *WORDS, "--out", out)
    if same:  # a later onnx has mended it
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 2
        assert "--per-tensor" in complaint(done)
        assert "outputs differ by a relative L2" in complaint(done)
    done = ghostdeploy("quantize", path, *WORDS, "--per-tensor", "--out", out)
    assert done.returncode == 0, done.stderr


def test_what_the_converter_cannot_raise_is_said():
    model = network(version=11, tail=(helper.make_node("Upsample", ["conv"], ["mapped"]),))
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", 6))
    with pytest.raises(UsageError, match=r"operator set 6 is too old.* or later$"):
        opset.raise_opset(model, 13)


@pytest.mark.parametrize(
    ("version", "ir_version", "reason"),
    [(17, 99, "Unsupported model IR version: 99"), (40, 8, "is till opset")],
)
def test_what_onnxruntime_refuses_is_told_to_its_last_words(tmp_path, version, ir_version, reason):
    path = tmp_path / "new.onnx"
    model = network()
    model.ir_version = ir_version
    model.opset_import[0].version = version
    path.write_bytes(model.SerializeToString())
    done = ghostdeploy("quantize", path, *WORDS)
    assert done.returncode == 2
    said = complaint(done)
    assert reason in said
    assert "onnxruntime_src" not in said
    assert said[-12:].strip(".")[-1].isdigit()  # the version that it does take


def test_a_network_that_says_the_same_of_everything_proves_nothing(tmp_path):
    model = network()
    for tensor in model.graph.initializer:
        zeros = np.zeros(list(tensor.dims), np.float32)
        tensor.CopyFrom(numpy_helper.from_array(zeros, tensor.name))
    path, out = tmp_path / "dead.onnx", tmp_path / "int8.onnx"
    onnx.save(model, path)
    done = ghostdeploy("quantize", path, *WORDS, "--out", out, "--min-agreement", "50%")
    assert done.returncode == 1, done.stderr
    assert "OUTPUT IS THE SAME FOR ALL 8 IMAGES, WHICH PROVES NOTHING" in done.stdout
