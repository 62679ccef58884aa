"""GELU is found in the forms in which exporters write it, and nothing else is taken for it."""

from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ghostdeploy.lowering.gelu import fuse_gelu

ROOT = math.sqrt(2)


def model(*nodes, outputs=("y",), **constants):
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (2, 3)) for n in ("x", *outputs)]
    made = [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes]
    values = {"root": ROOT, "inverse": 1 / ROOT, "one": 1.0, "half": 0.5} | constants
    tensors = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in values.items()]
    graph = helper.make_graph(made, "g", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


HEAD = (("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"))
FORMS = {
    "torch, dynamo": (*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "y")),
    "torch, script": (*HEAD, ("Mul", "x c", "d"), ("Mul", "d half", "y")),
    "by a factor": (
        ("Mul", "inverse x", "a"), *HEAD[1:], ("Mul", "c half", "d"), ("Mul", "d x", "y"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("nodes", FORMS.values(), ids=FORMS)
def test_each_form_becomes_one_operator(nodes):
    before = model(*nodes)
    after = fuse_gelu(before)
    assert [node.op_type for node in after.graph.node] == ["Gelu"]
    assert [node.op_type for node in before.graph.node] != ["Gelu"]
    onnx.checker.check_model(after)
    x = np.linspace(-4, 4, 6, dtype=np.float32).reshape(2, 3)
    expected = [0.5 * v * (1 + math.erf(v / ROOT)) for v in x.ravel()]
    (got,) = ReferenceEvaluator(after).run(None, {"x": x})
    np.testing.assert_allclose(got.ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "y"), half=0.7),
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "y"), root=2.0),
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "y"), one=2.0),
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "a d", "y")),
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "y"), outputs=("y", "b")),
        model(*HEAD, ("Mul", "half c", "d"), ("Mul", "x d", "e"), ("Add", "e c", "y")),
        model(("Div", "x root", "a"), ("Erf", "a", "y")),
        model(("Erf", "x", "b"), *HEAD[2:], ("Mul", "half c", "d"), ("Mul", "x d", "y")),
    ],
)
def test_what_is_something_else_stays(other):
    assert fuse_gelu(other) is other
