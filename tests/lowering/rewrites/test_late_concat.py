"""late-concat: halves kept apart compute what the joined ones did."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import late_concat
from tests.lowering.rewrites.tiny import QUANTUM, ops, random_image, rewritten, run, tiny

C = 4
SIDE = 6


def joined(out: int, kind: str, pad: bool) -> bytes:
    """Two inputs' channels joined, then a 1×1 convolution or a depthwise one of stride 2."""
    t = tiny()
    source = t.tensor((1, SIDE, SIDE, C))
    other, whole = t.tensor((1, SIDE, SIDE, C)), t.tensor((1, SIDE, SIDE, 2 * C))
    t.op("RELU", [source], [other])
    t.op("CONCATENATION", [source, other], [whole], kind="ConcatenationOptions", axis=3)
    side = SIDE
    if pad:
        amounts = t.tensor((4, 2), "int32", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
        padded = t.tensor((1, SIDE + 2, SIDE + 2, 2 * C))
        t.op("PAD", [whole, amounts], [padded], kind="PadOptions")
        whole, side = padded, SIDE + 2
    conv = kind == "CONV_2D"
    shape = (out, 1, 1, 2 * C) if conv else (1, 3, 3, 2 * C)
    constants = [
        t.tensor(v.shape, "float32", v)
        for v in (random_image(shape, "float32", 1), random_image((out,), "float32", 2))
    ]
    result = SIDE if conv else (side - 3) // 2 + 1
    target = t.tensor((1, result, result, out))
    options = {"dilationHFactor": 1, "dilationWFactor": 1, "fusedActivationFunction": 1}
    if conv:
        t.op(kind, [whole, *constants], [target], kind="Conv2DOptions", strideH=1, strideW=1,
             **options)  # fmt: skip
    else:
        t.op(kind, [whole, *constants], [target], kind="DepthwiseConv2DOptions", strideH=2,
             strideW=2, padding=1, depthMultiplier=1, **options)  # fmt: skip
    return t.bytes(source, target)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((8, "CONV_2D", False), ["RELU", "CONV_2D", "CONV_2D", "ADD"]),
        ((8, "DEPTHWISE_CONV_2D", False), ["RELU", *["DEPTHWISE_CONV_2D"] * 2, "CONCATENATION"]),
        (
            (8, "DEPTHWISE_CONV_2D", True),
            ["RELU", *["PAD", "DEPTHWISE_CONV_2D"] * 2, "CONCATENATION"],
        ),
    ],
)
@pytest.mark.parametrize("xnnpack", [False, True])
def test_halves_kept_apart_compute_the_same(arguments, expected, xnnpack):
    before = joined(*arguments)
    data, count = rewritten(before, late_concat)
    assert count == 1
    assert ops(data) == expected
    image = random_image((1, SIDE, SIDE, C), "float32")
    # The reference is the graph before, by the other kernels.
    np.testing.assert_allclose(
        run(data, image, xnnpack=xnnpack), run(before, image, xnnpack=not xnnpack), atol=1e-5
    )


def test_a_wide_convolution_keeps_its_concatenation():
    assert rewritten(joined(20, "CONV_2D", False), late_concat)[1] == 0


def joined_int8(scale_of_half: float) -> bytes:
    """As ``joined`` before a depthwise convolution, quantized per channel."""
    t = tiny()
    source = t.tensor((1, SIDE, SIDE, C), "int8")
    other, whole = t.tensor((1, SIDE, SIDE, C), "int8"), t.tensor((1, SIDE, SIDE, 2 * C), "int8")
    t.graph.tensors[other].quantization.scale[:] = scale_of_half
    t.op("RELU", [source], [other])
    t.op("CONCATENATION", [source, other], [whole], kind="ConcatenationOptions", axis=3)
    weights = random_image((1, 3, 3, 2 * C), "int8", 1)
    scales = np.linspace(0.001, 0.01, 2 * C)
    bias = np.arange(-C, C, dtype=np.int32) * 50
    constants = [
        t.tensor(weights.shape, "int8", weights, scales),
        t.tensor(bias.shape, "int32", bias, QUANTUM * scales),
    ]
    t.graph.tensors[constants[0]].quantization.quantizedDimension = 3
    target = t.tensor((1, SIDE // 2, SIDE // 2, 2 * C), "int8")
    t.op("DEPTHWISE_CONV_2D", [whole, *constants], [target], kind="DepthwiseConv2DOptions",
         strideH=2, strideW=2, padding=0, depthMultiplier=1, dilationHFactor=1,
         dilationWFactor=1)  # fmt: skip
    return t.bytes(source, target)


@pytest.mark.parametrize("xnnpack", [False, True])
def test_in_int8_not_a_bit_changes(xnnpack):
    before = joined_int8(QUANTUM)
    data, count = rewritten(before, late_concat)
    assert count == 1
    assert ops(data) == ["RELU", *["DEPTHWISE_CONV_2D"] * 2, "CONCATENATION"]
    image = random_image((1, SIDE, SIDE, C), "int8")
    was = run(before, image, xnnpack=xnnpack)
    assert len(np.unique(was)) > 20
    np.testing.assert_array_equal(run(data, image, xnnpack=xnnpack), was)


def test_halves_of_different_scales_stay_joined():
    assert rewritten(joined_int8(2 * QUANTUM), late_concat)[1] == 0
