"""wide-tiles against a matrix product in float64."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import wide_tiles
from tests.lowering.rewrites.tiny import S, ops, random_image, rewritten, run, tiny


def model(out, size=(5, 4), depth=6, *, kernel=1, stride=1, dtype="float32", relu=False):
    t = tiny()
    source = t.tensor((1, *size, depth), dtype)
    weights = random_image((out, kernel, kernel, depth), dtype, 1)
    bias_type = "int32" if dtype == "int8" else "float32"
    bias = np.zeros(out, np.int32) if dtype == "int8" else random_image((out,), dtype, 2)
    constants = [
        t.tensor(weights.shape, dtype, weights, scale=0.01 if dtype == "int8" else None),
        t.tensor((out,), bias_type, bias, scale=0.0005 if dtype == "int8" else None),
    ]
    target = t.tensor((1, *(-(-n // stride) for n in size), out), dtype)
    options = {"strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
    fused = S.ActivationFunctionType.RELU if relu else 0
    t.op(
        "CONV_2D",
        [source, *constants],
        [target],
        kind="Conv2DOptions",
        fusedActivationFunction=fused,
        **options,
    )
    return t.bytes(source, target)


@pytest.mark.parametrize("out", [12, 20, 92])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_sums(out, relu, xnnpack):
    data, count = rewritten(model(out, relu=relu), wide_tiles)
    assert count == 1
    assert ops(data) == ["RESHAPE", "CONV_2D", "RESHAPE"]
    image = random_image((1, 5, 4, 6), "float32").astype(np.float64)
    weights = random_image((out, 1, 1, 6), "float32", 1).astype(np.float64)
    expected = image @ weights[:, 0, 0].T + random_image((out,), "float32", 2)
    got = run(data, image.astype(np.float32), xnnpack=xnnpack)
    np.testing.assert_allclose(got, np.maximum(expected, 0) if relu else expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"out": 16},
        {"out": 4},
        {"out": 10},
        {"out": 12, "kernel": 3},
        {"out": 12, "stride": 2},
        {"out": 12, "size": (1, 20)},
        {"out": 12, "size": (3, 3)},
        {"out": 12, "dtype": "int8"},
    ],
)
def test_what_it_must_leave_alone(arguments):
    assert rewritten(model(**arguments), wide_tiles)[1] == 0
