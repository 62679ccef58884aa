"""ONNX files as they come out of the real pipeline."""

from __future__ import annotations

import hashlib
import json

import onnx
import pytest

from ghostdeploy import zoo
from tests.command_line import ROOT

FORBIDDEN = {"Shape", "Gather", "Slice", "Cast", "Reshape", "Transpose", "Unsqueeze", "Squeeze"}


@pytest.fixture(scope="module")
def model(whole):
    return whole.model("onnx")


def shape(value) -> list[int]:
    return [d.dim_value for d in value.type.tensor_type.shape.dim]


def test_it_is_valid_and_of_the_stated_opset(model):
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]


def test_input_and_output_are_named_and_static(model):
    assert [(v.name, shape(v)) for v in model.graph.input] == [("image", [1, 3, 224, 224])]
    assert [(v.name, shape(v)) for v in model.graph.output] == [("logits", [1, 1000])]


def test_every_shape_is_known_and_nothing_computes_one(model):
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    known = {v.name: shape(v) for v in (*inferred.graph.value_info, *inferred.graph.output)}
    made = [name for node in model.graph.node for name in node.output]
    assert len(made) == 320
    assert all(min(known[name]) > 0 for name in made)
    assert not FORBIDDEN & {node.op_type for node in model.graph.node}


def test_metadata_says_what_it_is(model, whole):
    facts = {p.key: p.value for p in model.metadata_props}
    spec = json.loads(facts["ghostdeploy.spec"])
    assert (spec["arch"], spec["width"], spec["resolution"]) == ("ghostnetv2", 1.0, [224, 224])
    assert facts["ghostdeploy.weights"] == "seed:0"
    assert facts["ghostdeploy.precision"] == "fp32"
    assert facts["ghostdeploy.preprocessing"] == (
        "RGB, 0 to 1, minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225)"
    )
    tools = json.loads(facts["ghostdeploy.tools"])
    assert tools["onnx"] == onnx.__version__
    assert {"torch", "onnx2tf", "tensorflow", "ghostdeploy"} <= tools.keys()
    assert model.producer_name == "ghostdeploy"
    assert tools == whole.artifact("onnx").tool_versions


def test_every_node_names_a_torch_module(model):
    modules = dict(zoo.build(zoo.make_spec()).named_modules())
    for node in model.graph.node:
        (entry,) = node.metadata_props
        assert entry.key == "ghostdeploy.module"
        assert entry.value in modules, node.name
        assert node.name.startswith(entry.value)
    named = {node.metadata_props[0].value for node in model.graph.node}
    assert {"conv_stem", "blocks.8.2.ghost1.up", "blocks.8.3.se.gate", "classifier"} <= named


@pytest.mark.parametrize("format", ["onnx", "tflite"])
@pytest.mark.parametrize("export", ["whole", "optioned"])
def test_no_path_of_this_machine_is_in_any_file(request, export, format):
    found = request.getfixturevalue(export)
    for path in found.folder.glob(f"*.{format}*"):
        data = path.read_bytes()
        for place in (ROOT, ROOT.parent, found.folder, "/tmp/", "site-packages", '.py"'):
            assert str(place).encode() not in data, (path.name, place)


@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_the_sidecar_describes_the_file(whole, format):
    artifact, data = whole.artifact(format), whole.data(format)
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    assert artifact.size_bytes == len(data)
    assert artifact.path == whole.path(format).name
    assert (artifact.format, artifact.precision, artifact.weights) == (format, "fp32", "seed:0")
    assert (artifact.params, artifact.macs) == (6_156_908, 167_048_288)
    (proof,) = artifact.parity
    assert proof.passed
    assert (proof.inputs, proof.top1_agreement) == (8, 1.0)
    assert proof.layers > 180
    assert proof.rel_l2 <= 1e-5
