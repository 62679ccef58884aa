"""What hangs on constants alone becomes one, and nothing else changes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ghostdeploy.lowering.constants import fold_constants

TABLE = np.arange(6, dtype=np.float32).reshape(2, 3)


def model(output="y"):
    nodes = [
        helper.make_node("Transpose", ["table"], ["turned"], perm=[1, 0]),
        helper.make_node("Relu", ["turned"], ["encoding"]),
        helper.make_node("Add", ["x", "encoding"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (3, 2)) for name in ("x", output)
    ]
    table = numpy_helper.from_array(TABLE, "table")
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [table])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


VALUES = {"turned": TABLE.T, "encoding": TABLE.T, "y": np.zeros((3, 2), np.float32)}


def test_it_is_computed_once():
    before = model()
    after = fold_constants(before, VALUES)
    assert [node.op_type for node in after.graph.node] == ["Add"]
    assert len(before.graph.node) == 3
    onnx.checker.check_model(after)
    x = {"x": np.ones((3, 2), np.float32)}
    for one, other in zip(
        *(ReferenceEvaluator(m).run(None, x) for m in (before, after)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_an_output_and_what_is_not_known_stay():
    assert fold_constants(model(), {}).graph.node[0].op_type == "Transpose"
    kept = fold_constants(model("encoding"), {"encoding": TABLE.T})
    assert "encoding" in {name for node in kept.graph.node for name in node.output}
    partly = fold_constants(model(), {"turned": TABLE.T})
    assert [node.op_type for node in partly.graph.node] == ["Relu", "Add"]


def test_a_graph_without_any_is_left_alone():
    plain = model()
    del plain.graph.node[:2]
    plain.graph.node[0].input[1] = "x"
    assert fold_constants(plain, VALUES) is plain
