"""pool-depthwise is the pooling, ties apart."""

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import pool_depthwise
from tests.lowering.rewrites.tiny import QUANTUM, ZERO, S, ops, random_image, rewritten, run, tiny


def pooling(dtype="int8", scale=None, padding=S.Padding.VALID, activation=0):
    t = tiny()
    source, target = t.tensor((1, 9, 8, 5), dtype), t.tensor((1, 4, 4, 5), dtype, scale=scale)
    t.op(
        "AVERAGE_POOL_2D",
        [source],
        [target],
        kind="Pool2DOptions",
        filterHeight=2,
        filterWidth=2,
        strideH=2,
        strideW=2,
        padding=padding,
        fusedActivationFunction=activation,
    )
    return t.bytes(source, target)


# XNNPACK rounds Σ/4 once; TFLite's builtin convolution rounds twice on the way.
@pytest.mark.parametrize(("xnnpack", "worst"), [(True, 0.5), (False, 0.75)])
def test_pools_to_the_nearest_quantum(xnnpack, worst):
    before = pooling()
    data, count = rewritten(before, pool_depthwise)
    image = random_image((1, 9, 8, 5), "int8")
    exact = image[:, :8].astype(float).reshape(1, 4, 2, 4, 2, 5).mean((2, 4))
    got = run(data, image, xnnpack=xnnpack)
    assert count == 1
    assert ops(data) == ["DEPTHWISE_CONV_2D"]
    assert np.abs(got - exact).max() <= worst
    whole = exact == np.round(exact)
    np.testing.assert_array_equal(got[whole], run(before, image, xnnpack=False)[whole])


def test_float_pooling_is_left_alone():
    _, count = rewritten(pooling("float32"), pool_depthwise)
    assert count == 0


@pytest.mark.parametrize(
    "options", [{"scale": 2 * QUANTUM}, {"padding": S.Padding.SAME}, {"activation": 1}]
)
def test_another_pooling_is_left_alone(options):
    assert ZERO  # a zero point of 0 would hide a sum that forgets it
    _, count = rewritten(pooling(**options), pool_depthwise)
    assert count == 0
