"""Halves kept apart compute what the joined ones did."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy.lowering.apart import keep_apart
from tests.lowering.rewrites.tiny import ops, random_image, run, tiny

C = 4  # of each half
SIDE = 6
CONV = {"dilationHFactor": 1, "dilationWFactor": 1, "padding": 1}


def attended(*, output: str = "conv") -> bytes:
    """x | relu(x) → × gate → pad → depthwise 3×3 → × (its mean → 1×1) → 1×1 convolution.

    As a block of GhostNetV2's. ``output`` says whether the product is given out as well.
    """
    t = tiny()
    random = (random_image(shape, "float32", seed) for seed, shape in enumerate(
        [(2 * C, 1, 1, C), (1, 3, 3, 2 * C), (2 * C,), (5, 1, 1, 2 * C), (5,),
         (2 * C, 1, 1, 2 * C)]))  # fmt: skip
    mixing, *constants = (t.tensor(v.shape, "float32", v) for v in random)
    source, other = t.tensor((1, SIDE, SIDE, C)), t.tensor((1, SIDE, SIDE, C))
    joined, gated, deep, scaled = (t.tensor((1, SIDE, SIDE, 2 * C)) for _ in range(4))
    padded = t.tensor((1, SIDE + 2, SIDE + 2, 2 * C))
    pooled, weight = (t.tensor((1, 1, 1, 2 * C)) for _ in range(2))
    target = t.tensor((1, SIDE, SIDE, 5))
    margins = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
    mixed, gate = (t.tensor((1, SIDE, SIDE, 2 * C)) for _ in range(2))
    t.op("CONV_2D", [source, mixing, constants[1]], [mixed], kind="Conv2DOptions",
         strideH=1, strideW=1, **CONV)  # fmt: skip
    t.op("LOGISTIC", [mixed], [gate])
    t.op("RELU", [source], [other])
    t.op("CONCATENATION", [source, other], [joined], kind="ConcatenationOptions", axis=3)
    t.op("MUL", [gate, joined], [gated], kind="MulOptions")
    t.op("PAD", [gated, t.tensor((4, 2), "int32", margins)], [padded], kind="PadOptions")
    t.op("DEPTHWISE_CONV_2D", [padded, *constants[:2]], [deep], kind="DepthwiseConv2DOptions",
         strideH=1, strideW=1, depthMultiplier=1, **CONV)  # fmt: skip
    axes = t.tensor((2,), "int32", np.array([1, 2], np.int32))
    t.op("MEAN", [deep, axes], [pooled], kind="ReducerOptions", keepDims=True)
    t.op("CONV_2D", [pooled, constants[4], constants[1]], [weight], kind="Conv2DOptions",
         strideH=1, strideW=1, **CONV)  # fmt: skip
    t.op("MUL", [deep, weight], [scaled], kind="MulOptions")
    t.op("CONV_2D", [scaled, *constants[2:4]], [target], kind="Conv2DOptions", strideH=1, strideW=1,
         fusedActivationFunction=1, **CONV)  # fmt: skip
    return t.bytes(source, target if output == "conv" else joined)


@pytest.mark.parametrize("xnnpack", [False, True])
def test_no_half_is_ever_joined_and_the_result_is_the_same(xnnpack):
    before = attended()
    after = keep_apart(before)
    assert "CONCATENATION" not in ops(after)
    assert ops(after).count("CONV_2D") == 5
    assert ops(after)[-1] == "ADD"
    image = random_image((1, SIDE, SIDE, C), "float32", 7)
    expected = run(before, image, xnnpack=not xnnpack)  # the other kernels
    assert expected.any()
    np.testing.assert_allclose(run(after, image, xnnpack=xnnpack), expected, atol=1e-4)


def test_what_is_given_out_stays_joined():
    data = attended(output="joined")
    assert ops(keep_apart(data)) == ops(data)


def test_a_sum_gets_them_joined():
    t = tiny()
    a, b = t.tensor((1, 2, 2, C)), t.tensor((1, 2, 2, C))
    c, d = t.tensor((1, 2, 2, 2 * C)), t.tensor((1, 2, 2, 2 * C))
    t.op("RELU", [a], [b])
    t.op("CONCATENATION", [a, b], [c], kind="ConcatenationOptions", axis=3)
    t.op("ADD", [c, c], [d], kind="AddOptions")
    assert ops(keep_apart(t.bytes(a, d))) == ["RELU", "CONCATENATION", "ADD"]
