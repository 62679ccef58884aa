"""int8 graphs: float-islands, requantize, concat-scales, int8-average-pool; and fp16 weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ghostdeploy.linting import read_graph
from ghostdeploy.linting.graph import Node
from ghostdeploy.linting.network_view import find_nodes_behind
from ghostdeploy.linting.rules.dfc_contract import find_branches
from tests.linting.rules.hand_made import Onnx, Tflite, only, rules


def int8() -> Tflite:
    return Tflite(dtype="int8", scale=[0.1])


def test_a_plain_int8_graph_is_silent() -> None:
    t = int8()
    assert rules(t.graph(t.conv_int8(t.conv_int8(t.input)))) == {}


class TestFloatIslands:
    def island(self, t: Tflite, x: int, *natives: str) -> int:
        y = t.op("DEQUANTIZE", [x], dtype="float32")
        for native in natives:
            y = t.op(native, [y])
        return t.op("QUANTIZE", [y], dtype="int8", scale=[0.1])

    def test_one_in_the_middle(self) -> None:
        t = int8()
        x = self.island(t, t.conv_int8(t.input), "TANH", "EXP")
        graph = t.graph(t.conv_int8(x))
        finding = only(graph, "float-islands")
        assert (finding.severity, finding.node) == ("warning", "tanh_2")
        assert "2 operators" in finding.message
        assert "TANH, EXP" in finding.message
        assert rules(graph) == {"float-islands": 1}

    def test_two_are_two(self) -> None:
        t = int8()
        x = self.island(t, t.conv_int8(t.input), "TANH")
        x = self.island(t, t.conv_int8(x), "EXP")
        assert rules(t.graph(t.conv_int8(x))) == {"float-islands": 2}

    def test_branches_that_meet_are_one(self) -> None:
        t = int8()
        y = t.op("DEQUANTIZE", [t.conv_int8(t.input)], dtype="float32")
        y = t.op("ADD", [t.op("TANH", [y]), t.op("EXP", [y])])
        graph = t.graph(t.op("QUANTIZE", [y], dtype="int8", scale=[0.1]))
        assert "3 operators" in only(graph, "float-islands").message

    def test_types_for_the_caller_are_none(self) -> None:
        """fp32 in and out of an int8 graph."""
        t = Tflite()
        x = t.conv_int8(t.op("QUANTIZE", [t.input], dtype="int8", scale=[0.1]))
        assert rules(t.graph(t.op("DEQUANTIZE", [x], dtype="float32"))) == {}

    def test_a_float_graph_has_none(self) -> None:
        t = Tflite()
        assert rules(t.graph(t.op("TANH", [t.conv(t.input)]))) == {}


class TestRequantize:
    @pytest.mark.parametrize("same", [True, False])
    def test_there_and_back(self, same: bool) -> None:
        t = int8()
        y = t.op("DEQUANTIZE", [t.conv_int8(t.input)], dtype="float32")
        x = t.op("QUANTIZE", [y], dtype="int8", scale=[0.1 if same else 0.2])
        graph = t.graph(t.conv_int8(x))
        finding = only(graph, "requantize")
        assert finding.severity == "warning"
        assert ("change nothing" in finding.message) is same
        assert rules(graph) == {"requantize": 1}

    def test_to_the_same_scale(self) -> None:
        t = int8()
        x = t.op("QUANTIZE", [t.conv_int8(t.input)], scale=[0.1], zero=[0])
        assert only(t.graph(t.conv_int8(x)), "requantize").severity == "warning"

    def test_to_another_scale(self) -> None:
        t = int8()
        x = t.op("QUANTIZE", [t.conv_int8(t.input)], scale=[0.1], zero=[3])
        graph = t.graph(t.conv_int8(x))
        assert only(graph, "requantize").severity == "info"
        assert rules(graph) == {"requantize": 1}

    def test_for_the_caller_it_is_needed(self) -> None:
        t = Tflite(dtype="uint8", scale=[0.1], zero=[128])
        x = t.conv_int8(t.op("QUANTIZE", [t.input], dtype="int8", scale=[0.1]))
        graph = t.graph(t.op("QUANTIZE", [x], dtype="uint8", scale=[0.1], zero=[128]))
        assert rules(graph) == {"xnnpack": 2}  # which has neither


class TestConcatScales:
    def joined(self, t: Tflite, *parts: int, scale: float = 0.1) -> dict[str, int]:
        x = t.op("CONCATENATION", parts, (1, 8, 8, 8), scale=[scale], axis=3)
        graph = t.graph(t.conv_int8(x))
        if "concat-scales" in rules(graph):
            finding = only(graph, "concat-scales")
            assert (finding.severity, finding.node) == ("warning", graph.values[finding.node].name)
        return rules(graph)

    def test_one_scale(self) -> None:
        t = int8()
        assert self.joined(t, t.conv_int8(t.input), t.conv_int8(t.input)) == {}

    @pytest.mark.parametrize(("scale", "zero"), [(0.2, 0), (0.1, 5)])
    def test_another_scale_or_zero_point(self, scale: float, zero: int) -> None:
        t = int8()
        parts = t.conv_int8(t.input), t.conv_int8(t.input, scale, zero)
        assert self.joined(t, *parts) == {"concat-scales": 1}

    def test_a_quantize_in_front_is_told_here(self) -> None:
        """And not by rule requantize as well."""
        t = int8()
        other = t.op("QUANTIZE", [t.conv_int8(t.input, 0.3)], scale=[0.1])
        assert self.joined(t, t.conv_int8(t.input), other) == {"concat-scales": 1}

    def test_floats_have_no_scale(self) -> None:
        t = Tflite()
        parts = [t.conv(t.input), t.conv(t.input)]
        assert rules(t.graph(t.op("CONCATENATION", parts, (1, 8, 8, 8), axis=3))) == {}


@pytest.mark.parametrize(("dtype", "said"), [("int8", True), ("uint8", True), ("float32", False)])
def test_average_pooling(dtype: str, said: bool) -> None:
    t = Tflite(dtype=dtype, scale=[] if dtype == "float32" else [0.1])
    sizes = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
    scale = [] if dtype == "float32" else [0.1]
    graph = t.graph(t.op("AVERAGE_POOL_2D", [t.input], (1, 4, 4, 4), scale=scale, **sizes))
    assert rules(graph) == ({"int8-average-pool": 1, "xnnpack": 1} if said else {})
    if said:
        assert only(graph, "int8-average-pool").severity == "warning"


class TestFp16Weights:
    def half(self, t: Tflite) -> int:
        weights = t.constant(np.ones((4, 1, 1, 4)), "float16")
        return t.op("DEQUANTIZE", [weights], dtype="float32")

    def test_they_are_told_once(self) -> None:
        t = Tflite()
        x = t.input
        for _ in range(3):
            x = t.op("CONV_2D", [x, self.half(t)])
        graph = t.graph(x)
        assert rules(graph) == {"fp16-weights": 1}
        finding = only(graph, "fp16-weights")
        assert finding.severity == "info"
        assert finding.message.startswith("3 fp16 weights")

    def test_something_in_between(self) -> None:
        t = Tflite()
        weights = t.op("NEG", [self.half(t)], name="between")
        graph = t.graph(t.op("CONV_2D", [t.input, weights]))
        assert rules(graph, "warning") == {"fp16-weights": 1}
        assert rules(graph, "info") == {"fp16-weights": 1}

    def test_onnx_casts(self) -> None:
        from onnx import TensorProto

        o = Onnx()
        weights = o.op("Cast", o.constant(np.ones((4, 4, 1, 1)), "float16"), to=TensorProto.FLOAT)
        assert rules(o.graph(o.op("Conv", o.input, weights)), "info") == {"fp16-weights": 1}

    def test_fp32_weights_are_none(self) -> None:
        t = Tflite()
        assert rules(t.graph(t.conv(t.input))) == {}


def test_an_up_sampling_whose_depth_to_space_stays_float() -> None:
    """litert-quantizer 0.11.0 leaves it so; the branch is seen, and the island is told."""
    t = int8()
    gate = t.op("AVERAGE_POOL_2D", [t.input], (1, 4, 4, 4), scale=[0.1])
    gate = t.conv_int8(gate)
    for kernel in ((1, 5), (5, 1)):
        weights = t.random(1, *kernel, 4, dtype="int8", scale=[0.1])
        gate = t.op("DEPTHWISE_CONV_2D", [gate, weights], scale=[0.1])
    gate = t.op("LOGISTIC", [gate], scale=[1 / 256], zero=[-128])
    stack = t.op("CONCATENATION", [gate] * 4, (1, 4, 4, 16), scale=[1 / 256], zero=[-128])
    real = t.op("DEQUANTIZE", [stack], dtype="float32")
    wide = t.op("DEPTH_TO_SPACE", [real], (1, 8, 8, 4))
    gate = t.op("QUANTIZE", [wide], dtype="int8", scale=[1 / 256], zero=[-128])
    graph = t.graph(t.op("MUL", [t.conv_int8(t.input), gate], scale=[0.1]))
    (branch,) = find_branches(graph)
    assert branch.text.endswith("LOGISTIC → DEPTH_TO_SPACE form → MUL")
    assert "DEPTH_TO_SPACE" in only(graph, "float-islands").message
    assert "layout-ops" not in rules(graph)
    behind = [n for nodes in find_nodes_behind(graph).values() for n in nodes]
    assert {id(node) for node in behind} <= {id(node) for node in graph.nodes}


@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_a_change_of_scale_is_no_step_of_a_dfc_branch(format: str, small_files, tmp_path) -> None:
    """Quantizing an int8 network may put one between any two operators."""
    path = tmp_path / f"m.{format}"
    path.write_bytes(small_files[format])
    graph = read_graph(path)
    (expected,) = find_branches(graph)
    pool = expected.nodes[0].outputs[0]
    requantized = Node("rescale", "quantize", "QUANTIZE", (pool,), ("rescaled",))
    nodes = [requantized]
    for node in graph.nodes:
        inputs = tuple("rescaled" if name == pool else name for name in node.inputs)
        nodes.append(replace(node, inputs=inputs))
    (found,) = find_branches(replace(graph, nodes=tuple(nodes)))
    assert found.text == expected.text
