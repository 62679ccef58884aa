"""``ghostdeploy verify``: what passes, and what is named when it does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from ghostdeploy import flatbuffer, zoo
from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.commands.origin import precision_of
from ghostdeploy.commands.proof import describe_parity
from ghostdeploy.commands.verify import VerifyRequest, verify
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.images.normalization import IMAGENET
from ghostdeploy.lowering.metadata import Description
from ghostdeploy.lowering.rewrites.build import GraphBuilder
from ghostdeploy.lowering.tflite import finish_tflite
from tests import small_models
from tests.command_line import complaint, ghostdeploy
from tests.lowering.networks import seeded


def operator(model, output: str):
    """The operator of a TFLite model that makes the tensor ``output``."""
    tensors = model.subgraphs[0].tensors
    (found,) = (
        op for op in model.subgraphs[0].operators if tensors[op.outputs[0]].name.decode() == output
    )
    return found


@pytest.fixture
def changed(ablation, tmp_path):
    """Writes ``ablation``'s TFLite file after a change, without its sidecar."""

    def write(change):
        model = ablation.model("tflite")
        change(model)
        path = tmp_path / "changed.tflite"
        path.write_bytes(flatbuffer.dump(model))
        return path

    return write


def scale_weights(output: str, factor: float):
    def change(model):
        weights = model.subgraphs[0].tensors[operator(model, output).inputs[1]]
        buffer = model.buffers[weights.buffer]
        values = np.frombuffer(bytes(buffer.data), np.float32) * np.float32(factor)
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)

    return change


def without_activation(output: str):
    def change(model):
        options = operator(model, output).builtinOptions
        assert options.fusedActivationFunction == 1
        options.fusedActivationFunction = 0

    return change


def test_our_files_pass_by_their_sidecar(small_onnx):
    result = verify(VerifyRequest(small_onnx.path("onnx")))
    proof = small_onnx.artifact("onnx").parity[0]
    assert result.parity.passed
    assert (result.parity.layers, len(result.layers)) == (proof.layers, proof.layers)


def test_a_file_alone_knows_what_it_is(changed):
    """Without its sidecar, by the metadata inside."""
    path = changed(lambda model: None)
    assert list(path.parent.iterdir()) == [path]
    assert verify(VerifyRequest(path)).parity.passed


FIRST = "blocks.6.1.ghost1.primary_conv.2/relu"
SECOND = "blocks.3.0.ghost1.cheap_operation.2/relu"


@pytest.mark.parametrize(
    ("change", "first"),
    [(scale_weights(FIRST, 1.05), FIRST), (without_activation(SECOND), SECOND)],
)
def test_the_first_wrong_layer_is_named(changed, change, first):
    found = verify(VerifyRequest(changed(change)))
    assert not found.parity.passed
    text = describe_parity(found.parity, found.layers)
    assert text.startswith(f"not the torch network's function: {first} is the first layer that")
    before = list(found.layers)[: list(found.layers).index(first)]
    assert before
    assert max(found.layers[name] for name in before) < 1e-5


def test_a_changed_onnx_weight(small_onnx, tmp_path):
    model = small_onnx.model("onnx")
    node = next(n for n in model.graph.node if n.name == "blocks.4.0.ghost2.primary_conv.0/conv")
    weights = next(i for i in model.graph.initializer if i.name == node.input[1])
    values = onnx.numpy_helper.to_array(weights).copy()
    values[0] += 0.5
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    found = verify(VerifyRequest(path))
    assert not found.parity.passed
    assert f"{node.name} is the first layer that differs" in describe_parity(
        found.parity, found.layers
    )


def test_not_a_number_is_null_in_json(changed):
    """JSON has no NaN and no infinity."""
    done = ghostdeploy("verify", changed(scale_weights(FIRST, np.nan)), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(word))
    assert found["parity"]["passed"] is False
    assert found["parity"]["rel_l2"] is None
    assert found["layers"][FIRST] is None
    assert done.stderr.startswith("error: ")


def test_the_command(whole):
    done = ghostdeploy("verify", whole.path("tflite"), "--layers")
    assert (done.returncode, done.stderr) == (0, "")
    *layers, last = done.stdout.splitlines()
    assert last.startswith(f"{whole.path('tflite')}: the torch network's function: outputs differ")
    assert len(layers) == whole.artifact("tflite").parity[0].layers
    assert layers[0].split()[-1] == "act1/relu"
    assert not [line for line in layers if line.startswith("✗")]


# --- files of others -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign(converted, tmp_path_factory):
    """A right file that says nothing about itself and has no signature."""
    finished = finish_tflite(
        converted.raw,
        values=converted.values,
        inputs=("image",),
        outputs=("logits",),
        description=Description("x", "0", "?", ("image",), ("logits",), IMAGENET),
        facts={},
    )
    model = flatbuffer.load(finished.data, "foreign")
    model.metadata = model.signatureDefs = None
    path = tmp_path_factory.mktemp("foreign") / "foreign.tflite"
    path.write_bytes(flatbuffer.dump(model))
    return path


def verify_as(path, spec, seed=0):
    return verify(VerifyRequest(path, spec=spec, precision="fp32", seed=seed))


def test_a_file_of_others_needs_a_name(foreign):
    done = ghostdeploy("verify", foreign)
    assert done.returncode == 2
    assert complaint(done).endswith("does not say which network it is; name it with --model")


def test_and_passes_with_the_right_one(foreign, converted):
    assert verify_as(foreign, converted.spec).parity.passed


def test_layers_that_were_not_compared_are_said_to_be_none(foreign, converted, tmp_path):
    """A converter may name every tensor in its own way."""
    model = flatbuffer.load(foreign.read_bytes(), "foreign")
    for number, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"value{number}".encode()
    path = tmp_path / "nameless.tflite"
    path.write_bytes(flatbuffer.dump(model))
    found = verify_as(path, converted.spec)
    assert found.parity.passed
    assert found.parity.layers == 0
    text = describe_parity(found.parity, found.layers)
    assert text.endswith("no inner tensor was compared: none has a name of the network's")


def test_an_input_in_torchs_layout(foreign, converted, tmp_path):
    """As litert-torch writes it: NCHW, with one TRANSPOSE behind it."""
    model = flatbuffer.load(foreign.read_bytes(), "foreign")
    graph = model.subgraphs[0]
    builder = GraphBuilder(model, graph)
    nhwc = int(graph.inputs[0])
    n, h, w, c = builder.shape(nhwc)
    nchw = builder.add_like(nhwc, (n, c, h, w))
    graph.tensors[nchw].name = b"args_0"
    order = builder.add_constant(np.array([0, 2, 3, 1], np.int32), "order")
    turn = builder.make_operator(
        "TRANSPOSE", [nchw, order], nhwc, flatbuffer.schema().TransposeOptionsT()
    )
    graph.operators.insert(0, turn)
    graph.inputs = np.array([nchw], np.int32)
    path = tmp_path / "nchw.tflite"
    path.write_bytes(flatbuffer.dump(model))
    found = verify_as(path, converted.spec)
    assert found.parity.passed
    assert found.parity.layers > 0


def test_but_not_with_other_weights(foreign, converted):
    assert not verify_as(foreign, converted.spec, seed=1).parity.passed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--model", "ghostnetv2@0.5"),
            "takes [1, 160, 160, 3], where ghostnetv2_0.5_224 takes [1, 224, 224, 3]",
        ),
        (
            ("--model", "ghostnetv2@0.5", "--resolution", "160", "--precision", "int9"),
            "precision must be one of fp32, fp16, dynamic, int8, ",
        ),
        (
            ("--model", "ghostnetv2@0.5", "--resolution", "160", "--precision", "int8"),
            "foreign.tflite is fp32, not int8",
        ),
        (("--model", "x.tflite"), "a network is wanted here, not the file"),
        (("--model", "gostnetv2"), "did you mean ghostnetv2"),
    ],
)
def test_a_wrong_name(foreign, options, message):
    done = ghostdeploy("verify", foreign, *options)
    assert done.returncode == 2
    assert message in complaint(done)


def test_a_file_tells_its_precision(whole, half, trained_int8):
    from ghostdeploy.linting import read_graph

    for made, expected in ((whole, "fp32"), (half, "fp16"), (trained_int8, "int8")):
        assert precision_of(read_graph(made.path("tflite"))) == expected
    assert precision_of(read_graph(whole.path("onnx"))) == "fp32"


@pytest.mark.parametrize("name", ["tiny.tflite", "mixed.tflite", "custom.tflite", "mixed.onnx"])
def test_a_model_that_takes_no_image_of_that_size(tmp_path, name):
    path = tmp_path / name
    stem, _, format = name.partition(".")
    path.write_bytes(getattr(small_models, format)(stem))
    with pytest.raises(UsageError, match=r"takes \[.*\], where ghostnetv1_1.0_224 takes \[1, "):
        verify_as(path, zoo.make_spec("ghostnetv1"))


def test_another_number_of_classes(foreign, converted):
    spec = replace(converted.spec, num_classes=10)
    with pytest.raises(UsageError, match=r"gives outputs of shape \[1, 1000\]"):
        verify_as(foreign, spec)


@pytest.mark.parametrize("facts", [b"{", b"\xff", b"[]", b'{"ghostdeploy.spec": "{"}'])
def test_damaged_metadata(ablation, tmp_path, facts):
    model = ablation.model("tflite")
    (entry,) = (e for e in model.metadata if e.name == b"GHOSTDEPLOY")
    model.buffers[entry.buffer].data = np.frombuffer(facts, np.uint8)
    path = tmp_path / "damaged.tflite"
    path.write_bytes(flatbuffer.dump(model))
    with pytest.raises(UsageError, match=r"metadata is damaged|does not say which network"):
        verify(VerifyRequest(path))


def test_a_model_that_the_runtime_refuses(ablation, tmp_path):
    model = ablation.model("tflite")
    operator(model, "act1/relu").builtinOptions.strideH = 0
    path = tmp_path / "broken.tflite"
    path.write_bytes(flatbuffer.dump(model))
    with pytest.raises(InputFileError, match=r"LiteRT cannot run broken\.tflite: .*[Ss]tride"):
        verify(VerifyRequest(path))


# --- checkpoints -----------------------------------------------------------------------------


def test_a_file_made_from_a_checkpoint(tmp_path):
    spec = zoo.make_spec("ghostnetv1", width=0.5, resolution=(33, 33), num_classes=10)
    right, wrong = tmp_path / "right.pth", tmp_path / "wrong.pth"
    torch.save(seeded(spec, 5).state_dict(), right)
    torch.save(seeded(spec, 6).state_dict(), wrong)
    (made,) = export(ExportRequest(spec, ("onnx",), weights=right, out=tmp_path))
    assert made.artifact.name == "ghostnetv1_0.5_33_c10"
    path = tmp_path / "ghostnetv1_0.5_33_c10_fp32_right.onnx"
    assert verify(VerifyRequest(path, weights=right)).parity.passed
    with pytest.raises(UsageError, match="was made from a checkpoint; give it with --weights"):
        verify(VerifyRequest(path))
    with pytest.raises(UsageError, match="was made from other weights"):
        verify(VerifyRequest(path, weights=wrong))
    copied = shutil.copy(right, tmp_path / "elsewhere.pth")  # the content counts
    assert verify(VerifyRequest(path, weights=copied)).parity.passed
