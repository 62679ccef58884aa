"""What a file expects of pixels: what it says itself, else what is told; it is never guessed."""

from __future__ import annotations

import json

import flatbuffers
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ghostdeploy import flatbuffer
from ghostdeploy.commands.inputs import known_normalization, preprocessing_of
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.images.normalization import BYTES, IMAGENET, normalize_to
from ghostdeploy.linting import read_graph
from ghostdeploy.lowering import metadata
from tests.command_line import complaint, ghostdeploy
from tests.lowering.rewrites.tiny import tiny

SYMMETRIC = normalize_to(-1.0, 1.0)


def network():
    """(1, 8, 8, 3) → three means and a bias: a model of others, as a converter leaves it."""
    t = tiny()
    image, pooled, logits = t.tensor((1, 8, 8, 3)), t.tensor((1, 3)), t.tensor((1, 3))
    axes = t.tensor((2,), "int32", data=np.array([1, 2], np.int32))
    t.op("MEAN", [image, axes], [pooled], kind="ReducerOptions")
    bias = t.tensor((3,), data=np.array([0.1, 0.2, 0.3], np.float32))
    t.op("ADD", [pooled, bias], [logits], kind="AddOptions")
    return t, image, logits


def task_metadata(mean, std) -> bytes:
    """TFLite's metadata by its published field numbers, written with the flatbuffers package."""
    b = flatbuffers.Builder(256)

    def table(*slots):
        b.StartObject(8)
        for number, offset in slots:
            b.PrependUOffsetTRelativeSlot(number, offset, 0)
        return b.EndObject()

    def tables(*offsets):
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return b.EndVector()

    numbers = [b.CreateNumpyVector(np.array(v, np.float32)) for v in (mean, std)]
    options = table((0, numbers[0]), (1, numbers[1]))
    b.StartObject(2)
    b.PrependUint8Slot(0, 1, 0)  # NormalizationOptions
    b.PrependUOffsetTRelativeSlot(1, options, 0)
    unit = b.EndObject()
    root = table((3, tables(table((2, tables(table((4, tables(unit)))))))))
    b.Finish(root, b"M001")
    return bytes(b.Output())


@pytest.fixture
def write(tmp_path):
    def written(content: bytes = b"", facts=None):
        t, image, logits = network()
        if content:
            metadata._put(t.model, metadata.BUFFER_NAME, content)
        if facts:
            metadata.add_facts(t.model, facts)
        path = tmp_path / "of_others.tflite"
        path.write_bytes(t.bytes(image, logits))
        return path

    return written


def close(found, expected) -> bool:
    return np.allclose([found.mean, found.std], [expected.mean, expected.std], atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        ([127.5], [127.5], SYMMETRIC),
        ([0.0], [1.0], BYTES),
        ([0.0], [255.0], normalize_to(0.0, 1.0)),
        ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375], IMAGENET),
    ],
)
def test_the_task_libraries_metadata_are_on_bytes(write, mean, std, expected):
    assert close(known_normalization(write(task_metadata(mean, std))), expected)


@pytest.mark.parametrize(
    "content",
    [
        b"\x10",
        b"\xff\xff\xff\x7fM001",
        task_metadata([1.0, 2.0], [1.0]),
        task_metadata([0.0], [0.0]),
        task_metadata([float("nan")], [1.0]),
        task_metadata([0.0], [1.0])[:-20],
    ],
)
def test_damaged_metadata_are_said(write, content):
    with pytest.raises(UsageError, match=r"^[^\n]+$"):
        known_normalization(write(content))


def test_our_own_facts_go_before(write):
    content = task_metadata([0.0], [1.0])
    ours = {"ghostdeploy.export": json.dumps({"embed_preprocessing": False})}
    assert known_normalization(write(content, ours)) == IMAGENET
    told = {"ghostdeploy.normalization": json.dumps({"mean": [0.5] * 3, "std": [0.5] * 3})}
    assert known_normalization(write(content, ours | told)) == SYMMETRIC
    for damaged in ("[]", "{", '{"mean": [0.5], "std": [1]}'):
        with pytest.raises(InputFileError):
            known_normalization(write(b"", {"ghostdeploy.normalization": damaged}))


def test_bytes_of_a_quantized_input_are_handed_over_as_they_are(tmp_path):
    t, image, logits = network()
    tensor = t.graph.tensors[image]
    tensor.type = flatbuffer.schema().TensorType.UINT8
    tensor.quantization = flatbuffer.schema().QuantizationParametersT()
    tensor.quantization.scale = np.array([1 / 128], np.float32)
    tensor.quantization.zeroPoint = np.array([128], np.int64)
    path = tmp_path / "frames.tflite"
    path.write_bytes(t.bytes(image, logits))
    assert close(known_normalization(path), normalize_to(-1.0, 127 / 128))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"Image.NominalPixelRange": "NominalRange_0_255"}, BYTES),
        ({"Image.NominalPixelRange": "Normalized_1_1", "Image.BitmapPixelFormat": "Rgb8"},
         SYMMETRIC),
        ({"Image.NominalPixelRange": "NominalRange_16_235"}, None),
        ({"ghostdeploy.export": '{"embed_preprocessing": true}'}, BYTES),
    ],
)  # fmt: skip
def test_onnx_files_metadata(tmp_path, facts, expected):
    assert known_normalization(onnx_file(tmp_path, facts)) == expected


def test_an_order_of_channels_that_is_not_made_here(tmp_path):
    facts = {"Image.NominalPixelRange": "Normalized_0_1", "Image.BitmapPixelFormat": "Bgr8"}
    with pytest.raises(InputFileError, match="takes Bgr8 images"):
        known_normalization(onnx_file(tmp_path, facts))


def onnx_file(tmp_path, facts):
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes, "others", [value("image", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("logits", TensorProto.FLOAT, [1, 3])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, facts)
    path = tmp_path / "others.onnx"
    onnx.save(model, path)
    return path


def test_nothing_is_guessed(write):
    path = write()
    graph = read_graph(path)
    with pytest.raises(UsageError, match="does not say which values of pixels"):
        preprocessing_of(path, graph, 0.875)
    how = preprocessing_of(path, graph, 0.875, SYMMETRIC)
    assert how.limits == (-1.0, 1.0)


def test_quantize_asks_and_remembers(write, tmp_path):
    path, out = write(), tmp_path / "int8.tflite"
    words = ("--calibration-size", "8", "--out", out)
    done = ghostdeploy("quantize", path, *words)
    assert done.returncode == 2
    assert "--input-range" in complaint(done)
    done = ghostdeploy("quantize", path, *words, "--input-range", "0,255")
    assert done.returncode == 0, done.stderr
    graph = flatbuffer.load_file(out).subgraphs[0]
    scale = graph.tensors[int(graph.inputs[0])].quantization.scale[0]
    assert 250 < 255 * scale < 256
    assert known_normalization(out) == BYTES
    out.with_name("int8.tflite.json").unlink()
    assert known_normalization(out) == BYTES  # the file itself says it


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--input-range", "255"), "--input-range takes the smallest and the largest value"),
        (("--input-range", "1,1"), "goes from low to high"),
        (("--input-range", "nan,1"), "--input-range takes the smallest and the largest value"),
        (("--mean", "0.5"), "--mean and --std go together"),
        (("--mean", "0.5", "--std", "0"), "std must be"),
        (("--mean", "0.5", "--std", "1", "--input-range", "0,1"), "say one thing"),
        (("--mean", "0,0,0", "--std", "1,1"), "--std takes 1 or 3 numbers"),
    ],
)
def test_pixels_that_make_no_sense(write, words, expected):
    done = ghostdeploy("quantize", write(), *words)
    assert done.returncode == 2
    assert expected in complaint(done)


def test_a_file_that_says_otherwise_is_believed(write):
    path = write(task_metadata([127.5], [127.5]))
    done = ghostdeploy("quantize", path, "--input-range", "0,1")
    assert done.returncode == 2
    assert "says itself what it takes" in complaint(done)
