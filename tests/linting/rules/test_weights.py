"""duplicate-weights and unused-tensors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.linting.rules.hand_made import Onnx, Tflite, only, rules

LARGE = np.random.RandomState(0).rand(1, 8, 8, 4)  # 1 kB in fp32


def added(*arrays: np.ndarray):
    t = Tflite()
    x = t.input
    for array in arrays:
        x = t.op("ADD", [x, t.constant(array)])
    return t.graph(x)


class TestDuplicateWeights:
    def test_the_same_content_twice(self) -> None:
        graph = added(LARGE, LARGE, LARGE)
        finding = only(graph, "duplicate-weights")
        assert finding.severity == "info"
        assert finding.message.startswith("3 copies of one constant, 2048 bytes too many")
        assert rules(graph) == {"duplicate-weights": 1}

    def test_one_buffer_for_two_tensors(self) -> None:
        t = Tflite()
        first = t.constant(LARGE)
        twin = t.tensor("twin", LARGE.shape)
        t.tensors[twin].buffer = t.tensors[first].buffer
        x = t.op("ADD", [t.op("ADD", [t.input, first]), twin])
        assert rules(t.graph(x)) == {}

    @pytest.mark.parametrize("other", [LARGE + 1, LARGE[:, :4], LARGE.reshape(8, 8, 4)])
    def test_other_content_or_shape(self, other: np.ndarray) -> None:
        assert rules(added(LARGE, other)) == {}

    def test_small_ones_do_not_matter(self) -> None:
        assert rules(added(LARGE[:, :, :7], LARGE[:, :, :7])) == {}

    def test_onnx(self) -> None:
        o = Onnx((1, 8, 8, 4))
        x = o.op("Add", o.op("Add", o.input, o.constant(LARGE)), o.constant(LARGE))
        assert rules(o.graph(x)) == {"duplicate-weights": 1}


class TestUnusedTensors:
    def test_a_constant_that_nothing_reads(self) -> None:
        t = Tflite()
        t.constant(LARGE)
        graph = t.graph(t.op("TANH", [t.input]))
        finding = only(graph, "unused-tensors")
        assert (finding.severity, finding.node) == ("info", "constant_1")
        assert "1 unused tensor with 1024 bytes" in finding.message

    def test_onnx(self) -> None:
        o = Onnx()
        o.constant(LARGE)
        o.constant(LARGE + 1)
        finding = only(o.graph(o.op("Tanh", o.input)), "unused-tensors")
        assert "2 unused tensors with 2048 bytes" in finding.message

    def test_everything_in_use(self) -> None:
        assert rules(added(LARGE)) == {}

    def test_what_an_inner_graph_reads_is_in_use(self) -> None:
        from onnx import TensorProto, helper

        def branch(name: str):
            out = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            node = helper.make_node("Add", ["image", outer], [name])
            return helper.make_graph([node], name, [], [out])

        o = Onnx()
        outer = o.constant(np.ones((1, 4, 8, 8)))
        flag = o.constant(True, "bool")
        x = o.op("If", flag, then_branch=branch("yes"), else_branch=branch("no"))
        graph = o.graph(x)
        assert "unused-tensors" not in rules(graph)
        assert [len(g.nodes) for g in graph.subgraphs] == [1, 1]
        assert graph.op_counts() == {"Add": 2, "If": 1}
