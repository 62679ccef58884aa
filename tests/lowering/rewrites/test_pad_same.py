"""pad-same folds a PAD only where SAME pads by the same amounts."""

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import pad_same
from tests.lowering.rewrites.tiny import S, ops, random_image, rewritten, run, tiny

BOTH, BEHIND = [[0, 0], [1, 1], [1, 1], [0, 0]], [[0, 0], [0, 1], [0, 1], [0, 0]]


def padded_conv(size, kernel, stride, amounts, depthwise=False, read_twice=False):
    t = tiny()
    random = np.random.RandomState(1)
    source = t.tensor((1, size, size, 4))
    wide = size + amounts[1][0] + amounts[1][1]
    padded = t.tensor((1, wide, wide, 4))
    out = (wide - kernel) // stride + 1
    target = t.tensor((1, out, out, 4))
    pads = t.tensor((4, 2), "int32", np.array(amounts, np.int32))
    shape = (1, kernel, kernel, 4) if depthwise else (4, kernel, kernel, 4)
    weights = t.tensor(shape, "float32", random.randn(*shape).astype(np.float32))
    bias = t.tensor((4,), "float32", random.randn(4).astype(np.float32))
    t.op("PAD", [source, pads], [padded], kind="PadOptions")
    name, kind = (
        ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions")
        if depthwise
        else (
            "CONV_2D",
            "Conv2DOptions",
        )
    )
    extra = {"depthMultiplier": 1} if depthwise else {}
    t.op(
        name,
        [padded, weights, bias],
        [target],
        kind=kind,
        padding=S.Padding.VALID,
        strideH=stride,
        strideW=stride,
        dilationHFactor=1,
        dilationWFactor=1,
        **extra,
    )
    if read_twice:
        t.op("RELU", [padded], [t.tensor((1, wide, wide, 4))])
    return t.bytes(source, target)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(
    ("size", "stride", "amounts"), [(8, 1, BOTH), (9, 2, BOTH), (8, 2, BEHIND), (9, 1, BOTH)]
)
def test_folds_where_same_pads_alike(size, stride, amounts, depthwise):
    before = padded_conv(size, 3, stride, amounts, depthwise)
    data, count = rewritten(before, pad_same)
    image = random_image((1, size, size, 4), "float32")
    assert count == 1
    assert "PAD" not in ops(data)
    for xnnpack in (False, True):
        np.testing.assert_allclose(
            run(data, image, xnnpack=xnnpack), run(before, image, xnnpack=xnnpack), atol=1e-5
        )


@pytest.mark.parametrize(
    ("size", "stride", "amounts", "read_twice"),
    [
        (8, 2, BOTH, False),  # torch's stride 2 on an even size: SAME pads behind only
        (9, 2, BEHIND, False),
        (8, 1, BEHIND, False),
        (8, 1, BOTH, True),
    ],
)
def test_keeps_a_pad_that_same_does_not_replace(size, stride, amounts, read_twice):
    before = padded_conv(size, 3, stride, amounts, read_twice=read_twice)
    data, count = rewritten(before, pad_same)
    assert count == 0
    assert ops(data) == ops(before)
