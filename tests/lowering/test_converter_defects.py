"""The known defects of the converters: the proof sees them, and they are mended."""

from __future__ import annotations

import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.commands.proof import describe_parity
from ghostdeploy.images.normalization import IMAGENET
from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from ghostdeploy.lowering import inference, parity
from ghostdeploy.lowering.metadata import Description
from ghostdeploy.lowering.rewrites import apply_rewrites
from ghostdeploy.lowering.tflite import finish_tflite
from ghostdeploy.schema import ExportOptions
from tests.command_line import ghostdeploy
from tests.lowering.networks import distance, litert, logits, nhwc, normalized

DESCRIPTION = Description("test", "0", "Apache-2.0", ("image",), ("logits",), IMAGENET)
# Of 160 pixels, blocks 12–15 have maps of 5 pixels, up-sampled from 2.
ODD = [f"blocks.8.{block}.ghost1.up/resize" for block in range(4)]


@pytest.fixture(scope="module")
def mended(converted):
    def make(*rewrites: str) -> bytes:
        finished = finish_tflite(
            converted.raw,
            values=converted.values,
            inputs=("image",),
            outputs=("logits",),
            description=DESCRIPTION,
            facts={},
            rewrites=rewrites,
        )
        return finished.data

    return make


@pytest.fixture(scope="module")
def prove(converted):
    """The proof that every export has to pass, and the inner tensors' errors."""
    images = parity.example_inputs(converted.spec, ExportOptions())
    inner = converted.exported.torch_values(images[1])

    def judge(data: bytes):
        run = inference.load_tflite(data)
        layers = parity.layer_errors(inner, inference.load_tflite_layers(data)(images[1]))
        pairs = [([logits(converted.network, i)], [run(i)["logits"]]) for i in images]
        return parity.compare("tflite", "LiteRT", "fp32", pairs, layers), layers

    return judge


def lint(data: bytes, converted):
    model = flatbuffer.load(data, "test")
    return lint_graph(build_tflite_graph(model, "test"), converted.spec)


def test_the_proof_sees_the_wrong_resizes(mended, prove):
    proof, layers = prove(mended())
    assert not proof.passed
    wrong = [name for name, error in layers.items() if error > proof.tolerance_layer_rel_l2]
    assert [name for name in wrong if name.endswith("up/resize")] == ODD
    assert wrong[0] == ODD[0]
    assert layers[ODD[0]] > 0.05
    assert f"{ODD[0]} is the first layer that differs" in describe_parity(proof, layers)


def test_a_loose_look_at_the_logits_would_not(mended, prove):
    """Which is why inner tensors are compared."""
    proof, layers = prove(mended())
    assert proof.rel_l2 < min(layers[name] for name in ODD)


def test_the_mended_file_passes(mended, prove):
    proof, layers = prove(mended("nearest-floor", "depthwise"))
    assert proof.passed
    assert max(layers.values()) < 1e-5
    assert len(layers) > 250
    assert set(ODD) <= layers.keys()


def test_each_rewrite_mends_only_its_own(mended, prove):
    assert prove(mended("nearest-floor"))[0].passed
    assert not prove(mended("depthwise"))[0].passed


def test_lint_reports_the_grouped_convolutions(mended, converted):
    def grouped(data: bytes) -> set[str]:
        return {f.node for f in lint(data, converted).findings if f.rule == "grouped-conv"}

    found = grouped(mended("nearest-floor"))
    assert 4 <= len(found) <= 5
    assert all(name.endswith("shortcut.0/conv") for name in found)
    assert grouped(mended("nearest-floor", "depthwise")) == set()


def test_how_many_were_mended(converted):
    counts = apply_rewrites(flatbuffer.load(converted.raw, "raw"), ("nearest-floor", "depthwise"))
    assert counts["nearest-floor"] == 14
    assert 4 <= counts["depthwise"] <= 5


def test_the_rewrites_leave_the_same_operators(mended, converted):
    before = lint(mended("nearest-floor"), converted).op_counts
    after = lint(mended("nearest-floor", "depthwise"), converted).op_counts
    moved = after["DEPTHWISE_CONV_2D"] - before["DEPTHWISE_CONV_2D"]
    assert (after["DEPTHWISE_CONV_2D"], after["CONV_2D"]) == (69, 67)
    assert before == after | {
        "DEPTHWISE_CONV_2D": after["DEPTHWISE_CONV_2D"] - moved,
        "CONV_2D": after["CONV_2D"] + moved,
    }


@pytest.mark.parametrize("builtin", [False, True])
def test_mended_logits_are_torchs_on_new_images(mended, converted, image, builtin):
    x = normalized(image(converted.spec))
    expected = logits(converted.network, x)
    wrong, right = (
        distance(expected, litert(mended(*names), nhwc(x), builtin=builtin)[0])
        for names in ((), ("nearest-floor", "depthwise"))
    )
    assert right < 1e-5
    assert wrong > 100 * right


ATTENDING = """
from torch import nn
from ghostdeploy.zoo.ghostnetv1_sa import MobileViTAttention

def build():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), MobileViTAttention(8, 8, 1, 4))
"""


def test_attention_over_a_map_whose_sides_are_all_alike(tmp_path):
    """Its 4×4 map becomes [N, 2, 2, 2, 2], which onnx2tf by itself takes for NHWC."""
    (tmp_path / "attending.py").write_text(ATTENDING)
    words = ("attending.py", "--input", "1x3x16x16", "--format", "tflite")
    done = ghostdeploy("export", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "equal to torch" in done.stdout
