"""A name off by a folded factor, or by the order of a sum, is no defect; a wrong value is."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from ghostdeploy.lowering.inner_tensors import compare_inner

LIMIT = 1e-3


def model(*nodes):
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (4,)) for n in ("x", "y")]
    made = [helper.make_node(op, inputs, [output]) for op, inputs, output in nodes]
    return helper.make_model(helper.make_graph(made, "g", ends[:1], ends[1:]))


CHAIN = model(
    ("Add", ["a", "b"], "ab"), ("Add", ["ab", "c"], "abc"), ("Add", ["abc", "d"], "whole"),
    ("Relu", ["whole"], "y"),
)  # fmt: skip
ONES = {name: np.ones(4, np.float32) for name in ("ab", "abc", "whole", "y")}


def off(**errors):
    """The file's tensors: those of ONES, each so far off."""
    return {name: ONES[name] * np.float32(1 + error) for name, error in errors.items()}


@pytest.mark.parametrize(
    ("errors", "left"),
    [
        ({"ab": 0.5, "abc": 0.4, "whole": 1e-6}, {"whole"}),
        ({"ab": 0.5, "whole": 1e-6}, {"whole"}),
        ({"ab": 0.5, "abc": 0.5, "whole": 0.5}, {"ab", "abc", "whole"}),
        ({"ab": 0.5, "abc": 0.5}, {"ab", "abc"}),
        ({"ab": 1e-6, "whole": 1e-6}, {"ab", "whole"}),
    ],
)
def test_a_step_is_judged_by_its_sum(errors, left):
    assert set(compare_inner(ONES, off(**errors), CHAIN, LIMIT)) == left


def test_a_step_too_small_to_show_stays():
    small = ONES | {"ab": np.full(4, 1e-5, np.float32)}
    got = {"ab": small["ab"] * 2, "whole": ONES["whole"]}
    assert compare_inner(small, got, CHAIN, LIMIT)["ab"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "other",
    [
        model(("Add", ["a", "b"], "ab"), ("Mul", ["ab", "c"], "whole"), ("Relu", ["whole"], "y")),
        model(
            ("Add", ["a", "b"], "ab"), ("Add", ["ab", "c"], "whole"), ("Relu", ["ab"], "z"),
            ("Add", ["whole", "z"], "y"),
        ),
    ],
)  # fmt: skip
def test_what_something_else_reads_stays(other):
    assert compare_inner(ONES, off(ab=0.5, whole=1e-6), other, LIMIT)["ab"] == pytest.approx(0.5)


SCALED = model(
    ("Conv", ["x", "w"], "conv"), ("Mul", ["conv", "gamma"], "mul"), ("Relu", ["mul"], "y")
)
SCALED.graph.initializer.append(helper.make_tensor("gamma", TensorProto.FLOAT, (1,), [1e-3]))
VALUES = {
    "conv": np.arange(1, 5, dtype=np.float32),
    "mul": np.arange(1, 5, dtype=np.float32) * np.float32(1e-3),
}


def test_a_factor_that_was_folded_into_the_convolution():
    assert compare_inner(VALUES, {"conv": VALUES["mul"]}, SCALED, LIMIT) == {"mul": 0.0}
    wrong = compare_inner(VALUES, {"conv": 2 * VALUES["mul"]}, SCALED, LIMIT)
    assert wrong["conv"] > 0.9
    both = compare_inner(VALUES, {"conv": VALUES["mul"], "mul": VALUES["mul"]}, SCALED, LIMIT)
    assert both == {"mul": 0.0}
    twice = compare_inner(VALUES, {"conv": VALUES["mul"], "mul": 2 * VALUES["mul"]}, SCALED, LIMIT)
    assert twice["mul"] == 1.0


def test_a_transpose_that_was_moved_behind_the_sum():
    moved = model(
        ("Transpose", ["a"], "turned"), ("Add", ["turned", "b"], "sum"), ("Relu", ["sum"], "y")
    )
    values = {"turned": VALUES["conv"], "sum": VALUES["conv"] + np.float32([3, 1, 0, 2])}
    assert compare_inner(values, {"turned": values["sum"]}, moved, LIMIT) == {"sum": 0.0}
    wrong = compare_inner(values, {"turned": values["sum"] + 1}, moved, LIMIT)
    assert wrong["turned"] > 0.5


def test_a_value_that_another_reads_too_is_not_looked_behind():
    shared = model(
        ("Conv", ["x", "w"], "conv"), ("Mul", ["conv", "gate"], "mul"),
        ("Add", ["mul", "conv"], "y"),
    )  # fmt: skip
    assert compare_inner(VALUES, {"conv": VALUES["mul"]}, shared, LIMIT)["conv"] > 0.9
