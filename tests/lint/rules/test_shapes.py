"""dynamic-shapes, batch and memory-budget."""

from __future__ import annotations

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.lint import lint_graph
from ghostdeploy.lint.memory import count_weight_bytes, find_peak
from ghostdeploy.lint.rule import Expectations
from tests.lint.rules.hand_made import Onnx, Tflite, only, rules


class TestDynamicShapes:
    def test_a_free_side_of_the_input(self) -> None:
        t = Tflite(signature=(1, -1, 8, 4))
        graph = t.graph(t.op("TANH", [t.input], signature=(1, -1, 8, 4)))
        finding = only(graph, "dynamic-shapes")
        assert (finding.severity, finding.node) == ("warning", "image")
        assert "1×?×8×4" in finding.message
        assert rules(graph) == {"dynamic-shapes": 1}

    def test_a_shape_that_begins_inside(self) -> None:
        """Only the operator where it begins is named."""
        t = Tflite()
        x = t.op("TANH", [t.input], name="here", signature=(1, -1, -1, 4))
        graph = t.graph(t.op("LOGISTIC", [x], signature=(1, -1, -1, 4)))
        assert only(graph, "dynamic-shapes").node == "here"

    def test_fixed_shapes_are_silent(self) -> None:
        t = Tflite(signature=(1, 8, 8, 4))
        assert rules(t.graph(t.op("TANH", [t.input], signature=(1, 8, 8, 4)))) == {}

    def test_onnx_symbols(self) -> None:
        o = Onnx(("n", 3, "height", "width"))
        graph = o.graph(o.op("Relu", o.input))
        assert "?×3×?×?" in only(graph, "dynamic-shapes").message
        o = Onnx((1, 3, 8, 8))
        assert rules(o.graph(o.op("Relu", o.input))) == {}


class TestBatch:
    def test_more_than_one(self) -> None:
        t = Tflite((2, 8, 8, 4))
        finding = only(t.graph(t.op("TANH", [t.input])), "batch")
        assert (finding.severity, finding.node) == ("warning", "image")
        assert "is 2, not 1" in finding.message

    def test_a_free_one_is_a_remark(self) -> None:
        t = Tflite(signature=(-1, 8, 8, 4))
        graph = t.graph(t.op("TANH", [t.input], signature=(-1, 8, 8, 4)))
        assert only(graph, "batch").severity == "info"
        assert rules(graph) == {"batch": 1}

    @pytest.mark.parametrize("shape", [(1, 8, 8, 4), (16, 4), (4,)])
    def test_one_image_and_what_is_no_image(self, shape: tuple[int, ...]) -> None:
        t = Tflite(shape)
        assert rules(t.graph(t.op("TANH", [t.input]))) == {}


class TestMemory:
    """1 kB a tensor: 8·8·4 floats."""

    def chain(self):
        t = Tflite()
        x = t.op("TANH", [t.input])
        y = t.op("LOGISTIC", [x])
        z = t.op("ADD", [x, y], name="sum")
        return t.graph(t.op("TANH", [z]))

    def test_the_peak_is_where_most_is_alive(self) -> None:
        peak = find_peak(self.chain())
        assert (peak.nbytes, peak.node) == (3 * 1024, "sum")

    def test_weights_that_share_a_buffer_count_once(self) -> None:
        t = Tflite()
        first = t.random(16)
        twin = t.tensor("twin", (16,))
        t.tensors[twin].buffer = t.tensors[first].buffer
        x = t.op("ADD", [t.op("ADD", [t.input, first]), twin])
        assert count_weight_bytes(t.graph(x)) == 64

    def test_beyond_the_budget(self) -> None:
        report = lint_graph(self.chain(), budget_mb=0.003)
        (finding,) = report.findings
        assert (finding.rule, finding.severity, finding.node) == ("memory-budget", "error", "sum")
        assert report.activations_mb == pytest.approx(0.003072)
        assert report.weights_mb == 0.0

    @pytest.mark.parametrize("budget", [None, 0.0031])
    def test_within_the_budget(self, budget: float | None) -> None:
        assert not lint_graph(self.chain(), budget_mb=budget).findings

    @pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
    def test_a_budget_that_is_none(self, budget: float) -> None:
        with pytest.raises(UsageError, match="memory budget"):
            Expectations(budget_mb=budget)
