"""A sum's steps in another order are no defect; a wrong step whose error shows in no sum is."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from ghostdeploy.lowering.partial_sums import drop_reordered

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
    assert set(drop_reordered(errors, ONES, CHAIN, LIMIT)) == left


def test_a_step_too_small_to_show_stays():
    small = ONES | {"ab": np.full(4, 1e-5, np.float32)}
    assert drop_reordered({"ab": 0.5, "whole": 1e-6}, small, CHAIN, LIMIT)["ab"] == 0.5


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
    assert drop_reordered({"ab": 0.5, "whole": 1e-6}, ONES, other, LIMIT)["ab"] == 0.5
