"""What runtimes and delegates do not have: xnnpack, gpu-delegate, nnapi, custom-ops."""

from __future__ import annotations

import pytest

from ghostdeploy.lint.delegates.turns import between, partitions
from tests.lint.rules.hand_made import Onnx, Tflite, only, rules

NATIVE = {
    name: number
    for name, number in vars(Tflite().schema.BuiltinOperator).items()
    if isinstance(number, int)
}


def chain(*natives: str):
    t = Tflite()
    x = t.input
    for native in natives:
        x = t.op(native, [x])
    return t.graph(x)


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

    def test_parallel_branches_share_a_partition(self) -> None:
        """Two nodes outside, side by side: a kernel before them and one behind."""
        t = Tflite()
        start = t.op("LOGISTIC", [t.input])
        sides = [t.op("RELU_0_TO_1", [start]), t.op("RELU_0_TO_1", [start])]
        graph = t.graph(t.op("ADD", sides))
        taken = {p for p, node in enumerate(graph.nodes) if node.native != "RELU_0_TO_1"}
        assert partitions(graph, taken) == 2
        assert len(between(graph, taken)) == 2

    def test_a_node_beside_the_kernels_splits_nothing(self) -> None:
        t = Tflite()
        left = t.op("TANH", [t.op("LOGISTIC", [t.input])])
        right = t.op("RELU_0_TO_1", [t.input])
        graph = t.graph(t.op("ADD", [left, right]))
        taken = {p for p, node in enumerate(graph.nodes) if node.native != "RELU_0_TO_1"}
        assert between(graph, taken) == frozenset()
        # The runtime starts with the first node's kind, so the kernels are two all the same.
        assert partitions(graph, taken) == 2

    @pytest.mark.parametrize("taken", [set(), {0, 1, 2}])
    def test_all_or_nothing(self, taken: set[int]) -> None:
        graph = chain("LOGISTIC", "TANH", "LOGISTIC")
        assert partitions(graph, taken) == bool(taken)


@pytest.mark.parametrize(
    ("rule", "native", "known"),
    [("gpu-delegate", "RELU_0_TO_1", "TANH"), ("nnapi", "ROUND", "TANH")],
)
def test_operators_outside_other_delegates(rule: str, native: str, known: str) -> None:
    finding = only(chain(known, native, known), rule)
    assert (finding.severity, finding.node) == ("info", f"{native.lower()}_1")
    assert native in finding.message
    assert rule not in rules(chain(known, known))


@pytest.mark.parametrize("module", ["gpu_delegate", "nnapi"])
def test_the_tables_name_operators_that_exist(module: str) -> None:
    from importlib import import_module

    table = import_module(f"ghostdeploy.lint.rules.{module}").OPERATORS
    assert {name for name in table if not name.startswith("CUSTOM:")} <= NATIVE.keys()


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
        from ghostdeploy.lint.readers.onnx_graph import graph_of, with_shapes

        graph = graph_of(with_shapes(model), "hand-made")
        assert "custom-ops" not in rules(graph)
        assert graph.op_counts() == {"Add": 1, "Twice": 1}
