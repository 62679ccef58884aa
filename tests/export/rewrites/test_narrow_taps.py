"""narrow-taps: the factors multiply to the taps, and the two convolutions to torch's one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ghostdeploy.export.rewrites import narrow_taps
from tests.export.rewrites.tiny import S, ops, random_image, rewritten, run, tiny

SQRT_6 = 6**0.5  # Bombieri's bound for two factors of degree two
TAPS = st.floats(-1e3, 1e3, width=32, allow_subnormal=False)


def bombieri(coefficients):
    degree = len(coefficients) - 1
    weights = [float(n) for n in _binomials(degree)]
    return float(np.sqrt(sum(c * c / w for c, w in zip(coefficients, weights, strict=True))))


def _binomials(degree):
    row = [1]
    for k in range(degree):
        row.append(row[-1] * (degree - k) // (k + 1))
    return row


@settings(max_examples=500, deadline=None)
@given(arrays.arrays(np.float32, 5, elements=TAPS))
def test_the_factors_multiply_to_the_taps_and_stay_small(taps):
    column = taps.astype(np.float64)
    one, two = narrow_taps.factor_taps(column[:, None])
    scale = np.abs(column).max()
    np.testing.assert_allclose(np.convolve(one[:, 0], two[:, 0]), column, atol=2e-6 * scale)
    if scale:
        grown = bombieri(one[:, 0]) * bombieri(two[:, 0]) / bombieri(column)
        assert grown <= SQRT_6 * (1 + 1e-6)


def test_taps_whose_polynomial_is_known():
    """(1 + 2x + 3x²)(4 − 5x + 6x²), and ones with roots at infinity and at zero."""
    for column in ([4.0, 3.0, 8.0, -3.0, 18.0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]):
        one, two = narrow_taps.factor_taps(np.array(column, np.float64)[:, None])
        np.testing.assert_allclose(np.convolve(one[:, 0], two[:, 0]), column, atol=1e-9)


def model(kernel, size=(6, 7), channels=5, *, stride=1, dtype="float32", relu=False):
    t = tiny()
    source = t.tensor((1, *size, channels), dtype)
    weights = random_image((1, *kernel, channels), dtype, 1)
    bias = np.zeros(channels, np.int32) if dtype == "int8" else random_image((channels,), dtype, 2)
    quantized = dtype == "int8"
    constants = [
        t.tensor(weights.shape, dtype, weights, scale=0.01 if quantized else None),
        t.tensor(
            (channels,), "int32" if quantized else dtype, bias, scale=5e-4 if quantized else None
        ),
    ]
    target = t.tensor((1, *(-(-n // stride) for n in size), channels), dtype)
    t.op(
        "DEPTHWISE_CONV_2D",
        [source, *constants],
        [target],
        kind="DepthwiseConv2DOptions",
        strideH=stride,
        strideW=stride,
        depthMultiplier=1,
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=S.ActivationFunctionType.RELU if relu else 0,
    )
    return t.bytes(source, target)


@pytest.mark.parametrize("kernel", [(1, 5), (5, 1)])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_convolution_as_torch_borders_too(kernel, relu, xnnpack):
    data, count = rewritten(model(kernel, relu=relu), narrow_taps)
    assert count == 1
    assert ops(data) == ["PAD", "DEPTHWISE_CONV_2D", "DEPTHWISE_CONV_2D"]
    image = random_image((1, 6, 7, 5), "float32")
    weights = torch.from_numpy(random_image((1, *kernel, 5), "float32", 1)).permute(3, 0, 1, 2)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(image).permute(0, 3, 1, 2).double(),
        weights.double(),
        torch.from_numpy(random_image((5,), "float32", 2)).double(),
        padding=(kernel[0] // 2, kernel[1] // 2),
        groups=5,
    ).permute(0, 2, 3, 1)
    expected = expected.relu() if relu else expected
    np.testing.assert_allclose(run(data, image, xnnpack=xnnpack), expected.numpy(), atol=2e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel": (1, 3)},
        {"kernel": (5, 5)},
        {"kernel": (1, 5), "stride": 2},
        {"kernel": (1, 5), "size": (6, 4)},
        {"kernel": (5, 1), "size": (4, 6)},
        {"kernel": (1, 5), "dtype": "int8"},
    ],
)
def test_what_it_must_leave_alone(arguments):
    assert rewritten(model(**arguments), narrow_taps)[1] == 0
