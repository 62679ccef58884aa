"""Operators that move data: errors, but for self-attention's and an fp16 model's two casts."""

from __future__ import annotations

import onnx
import pytest
from onnx import helper

from ghostdeploy import flatbuffer
from ghostdeploy.linting import read_graph
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations
from ghostdeploy.linting.rules import layout_ops
from ghostdeploy.linting.vocabulary import LAYOUT_OPS
from ghostdeploy.zoo import make_spec
from tests.linting.conftest import GOOD
from tests.linting.models import gated_module
from tests.linting.rules.hand_made import Onnx, Tflite, only

ONNX_NAMES = {schema.name.lower(): schema.name for schema in onnx.defs.get_all_schemas()}
TFLITE_NAMES = {name.lower(): name for name in vars(flatbuffer.schema().BuiltinOperator)}


def single(op: str, native: str, module: str = "") -> Graph:
    return Graph("", "onnx", (Node("n", op, native, ("a",), ("b",), module),), {}, ("x",), ("y",))


@pytest.mark.parametrize("op", sorted(LAYOUT_OPS))
def test_every_listed_operator_exists_and_is_an_error(op: str) -> None:
    native = ONNX_NAMES.get(op) or TFLITE_NAMES[op]
    (finding,) = layout_ops.check(single(op, native, "blocks.1.0"), Expectations(make_spec()))
    assert (finding.rule, finding.severity, finding.node) == ("layout-ops", "error", "n")
    assert native in finding.message
    assert "blocks.1.0" in finding.message + getattr(finding, "module", "")


@pytest.mark.parametrize("native", ["Reshape", "Transpose", "Slice", "Gather", "Shape", "Split"])
def test_the_usual_suspects_are_listed_under_both_formats_names(native: str) -> None:
    assert native.lower() in LAYOUT_OPS
    assert native.upper() in TFLITE_NAMES.values()


@pytest.mark.parametrize("op", ["conv2d", "concat", "mul", "resize", "average_pool", "quantize"])
def test_operators_that_compute_are_none(op: str) -> None:
    assert list(layout_ops.check(single(op, op), Expectations(make_spec()))) == []


@pytest.mark.parametrize(
    ("arch", "module", "severity"),
    [
        ("ghostnetv1_sa", "attention.4", "info"),
        ("ghostnetv1_sa", "attention.15.layers.0.attn", "info"),
        ("ghostnetv1_sa", "attention", "info"),
        ("ghostnetv1_sa", "attentions.4", "error"),
        ("ghostnetv1_sa", "blocks.2.0", "error"),
        ("ghostnetv1_sa", "", "error"),
        ("ghostnetv2", "attention.4", "error"),
        (None, "attention.4", "warning"),
    ],
)
def test_self_attention_is_told_and_not_refused(arch, module: str, severity: str) -> None:
    spec = make_spec(arch) if arch else None
    (finding,) = layout_ops.check(single("reshape", "RESHAPE", module), Expectations(spec))
    assert finding.severity == severity


def test_a_transpose_in_a_file(builder, read) -> None:
    steps = (*GOOD[:2], "transpose", *GOOD[2:])
    graph = read(builder, gated_module(builder, builder.input, steps))
    (finding,) = layout_ops.check(graph, Expectations(make_spec()))
    assert finding.severity == "error"
    assert "transpose" in finding.node
    assert "transpose" in finding.message.lower()


class TestConvertersOwn:
    def tflite(self, axes: list[int]):
        t = Tflite()
        x = t.op("TRANSPOSE", [t.op("TANH", [t.input]), t.constant(axes, "int32")], name="turn")
        return only(t.graph(t.op("TANH", [x])), "layout-ops")

    def onnx(self, axes: list[int], inside: bool):
        o = Onnx()
        x = o.op("Transpose", o.op("Tanh", o.input) if inside else o.input, perm=axes)
        return only(o.graph(o.op("Tanh", x)), "layout-ops")

    @pytest.mark.parametrize("axes", [[0, 2, 3, 1], [0, 3, 1, 2]])
    def test_a_change_of_layout_in_tflite(self, axes: list[int]) -> None:
        finding = self.tflite(axes)
        assert finding.message.endswith("the converter's own")
        assert finding.fix.startswith("convert with an NHWC input")

    @pytest.mark.parametrize("axes", [[0, 2, 1, 3], [0, 1, 3, 2]])
    def test_another_permutation_is_the_networks(self, axes: list[int]) -> None:
        finding = self.tflite(axes)
        assert "converter" not in finding.message + finding.fix
        assert f"axes {','.join(map(str, axes))}" in finding.message

    @pytest.mark.parametrize(("inside", "theirs"), [(False, True), (True, False)])
    def test_in_onnx_only_at_the_ends(self, inside: bool, theirs: bool) -> None:
        """What a network permutes inside may be its own: a LayerNorm over channels, say."""
        finding = self.onnx([0, 2, 3, 1], inside)
        assert "NCHW to NHWC" in finding.message
        assert ("converter" in finding.message) is theirs


CASTS = [
    (["border in", "border out"], 0),
    (["border in", "inner", "border out"], 1),
    (["inner"], 1),
]


@pytest.mark.parametrize(("casts", "errors"), CASTS)
def test_casts_at_the_border_are_an_fp16_models_own(casts, errors: int, tmp_path) -> None:
    half, full = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    nodes, x = [], "image"
    for number, cast in enumerate(casts):
        if cast == "inner":
            nodes.append(helper.make_node("Relu", [x], [f"r{number}"]))
            x = f"r{number}"
        out = "out" if cast == "border out" else f"c{number}"
        to = half if cast == "border in" else full
        nodes.append(helper.make_node("Cast", [x], [out], name=cast, to=to))
        if cast != "border out":
            nodes.append(helper.make_node("Relu", [out], [f"s{number}"]))
            out = f"s{number}"
        x = out
    image = helper.make_tensor_value_info("image", full, [1, 4])
    result = helper.make_tensor_value_info(x, full, None)
    model = helper.make_model(helper.make_graph(nodes, "g", [image], [result]))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    found = list(layout_ops.check(read_graph(tmp_path / "m.onnx"), Expectations(make_spec())))
    assert [f.node for f in found] == ["inner"] * errors
