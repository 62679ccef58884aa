"""What runtimes and delegates do not have: xnnpack, gpu-delegate, nnapi, custom-ops."""

from __future__ import annotations

import pytest

from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.readers.onnx_graph import add_shapes, build_onnx_graph
from ghostdeploy.schema import Partitions
from tests.linting.rules.hand_made import Onnx, chain, only, rules


def test_a_chain_that_every_runtime_has_is_silent() -> None:
    assert rules(chain("LOGISTIC", "TANH", "RELU")) == {}


class TestXnnpack:
    def test_an_operator_between_others_splits_the_graph(self) -> None:
        finding = only(chain("LOGISTIC", "RELU_0_TO_1", "TANH"), "xnnpack")
        assert finding.severity == "warning"
        assert finding.node == "relu_0_to_1_1"
        assert "splits the graph (2 partitions)" in finding.message

    def test_an_operator_at_the_end_does_not(self) -> None:
        finding = only(chain("LOGISTIC", "ARG_MAX"), "xnnpack")
        assert "runs outside (1 partition)" in finding.message

    def test_where_it_was_measured_the_measurement_decides(self) -> None:
        """Against the table, both ways: what it calls outside, and what it calls taken."""
        graph = chain("LOGISTIC", "RELU_0_TO_1", "TANH")
        measured = Partitions("LiteRT 9.9", 1, (("tanh_2", "TANH"),))
        (finding,) = (
            f for f in lint_graph(graph, partitions=measured).findings if f.rule == "xnnpack"
        )
        assert finding.node == "tanh_2"
        assert finding.message == (
            "LiteRT 9.9 leaves this TANH out of XNNPACK: it runs outside (1 partition)"
        )

    def test_a_measured_graph_without_nodes_outside_is_silent(self) -> None:
        graph = chain("LOGISTIC", "RELU_0_TO_1")
        report = lint_graph(graph, partitions=Partitions("LiteRT 9.9", 1))
        assert "xnnpack" not in {f.rule for f in report.findings}


@pytest.mark.parametrize(
    ("rule", "native", "known"),
    [("gpu-delegate", "RELU_0_TO_1", "TANH"), ("nnapi", "ROUND", "TANH")],
)
def test_operators_outside_other_delegates(rule: str, native: str, known: str) -> None:
    finding = only(chain(known, native, known), rule)
    assert (finding.severity, finding.node) == ("info", f"{native.lower()}_1")
    assert native in finding.message
    assert rule not in rules(chain(known, known))


class TestCustomOps:
    @pytest.mark.parametrize(
        ("native", "severity", "said"),
        [
            ("CUSTOM:MyOp", "error", "MyOp is a custom operator"),
            ("CUSTOM:FlexErf", "error", "Flex delegate"),
            ("CUSTOM:", "error", "without a name"),
            ("CUSTOM:TFLite_Detection_PostProcess", "info", "TFLite itself"),
        ],
    )
    def test_tflite(self, native: str, severity: str, said: str) -> None:
        finding = only(chain("LOGISTIC", native), "custom-ops")
        assert finding.severity == severity
        assert said in finding.message

    def test_onnx_operators_of_another_domain(self) -> None:
        o = Onnx()
        x = o.op("Sparkle", o.op("Relu", o.input), domain="com.example")
        finding = only(o.graph(x), "custom-ops")
        assert (finding.severity, finding.node) == ("error", "sparkle_1")

    def test_onnx_operators_that_onnx_does_not_know(self) -> None:
        o = Onnx()
        assert only(o.graph(o.op("Relux", o.input)), "custom-ops").severity == "error"

    def test_a_function_that_the_model_defines_is_none(self) -> None:
        from onnx import helper

        o = Onnx()
        model = o.model(o.op("Twice", o.input, domain="com.example"))
        body = [helper.make_node("Add", ["x", "x"], ["y"])]
        opset = [helper.make_opsetid("", 18)]
        function = helper.make_function("com.example", "Twice", ["x"], ["y"], body, opset)
        model.functions.append(function)

        graph = build_onnx_graph(add_shapes(model), "hand-made")
        assert "custom-ops" not in rules(graph)
        assert graph.op_counts() == {"Add": 1, "Twice": 1}
