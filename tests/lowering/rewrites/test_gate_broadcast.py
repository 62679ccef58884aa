"""gate-broadcast against torch's own up-sampling and multiplication."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy.lowering.rewrites import gate_broadcast
from tests.lowering.rewrites.tiny import ops, random_image, rewritten, run, tiny


def model(small, large, channels=6, *, dtype="float32", swapped=False, readers=1):
    """(1, h, w, 6) → ReLU-free map up to the size of a constant, and multiplied by it."""
    t = tiny()
    source = t.tensor((1, *small, channels), dtype)
    size = t.tensor((2,), "int32", np.array(large, np.int32))
    up = t.tensor((1, *large, channels), dtype)
    other = t.tensor((1, *large, channels), dtype, random_image((1, *large, channels), dtype, 1))
    target = t.tensor((1, *large, channels), dtype)
    t.op("RESIZE_NEAREST_NEIGHBOR", [source, size], [up], kind="ResizeNearestNeighborOptions")
    pair = [other, up] if swapped else [up, other]
    t.op("MUL", pair, [target], kind="MulOptions")
    if readers == 1:
        return t.bytes(source, target)
    end = t.tensor((1, *large, channels), dtype)
    t.op("ADD", [target, up], [end], kind="AddOptions")
    return t.bytes(source, end)


@pytest.mark.parametrize("small", [(1, 1), (3, 5), (7, 4)])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_products_as_torch(small, swapped, xnnpack):
    large = (2 * small[0], 2 * small[1])
    data, count = rewritten(model(small, large, swapped=swapped), gate_broadcast)
    assert count == 1
    assert ops(data) == ["CONCATENATION", "RESHAPE", "RESHAPE", "MUL", "RESHAPE"]
    image = random_image((1, *small, 6), "float32")
    up = torch.nn.functional.interpolate(torch.from_numpy(image).permute(0, 3, 1, 2), large)
    expected = up.permute(0, 2, 3, 1).numpy() * random_image((1, *large, 6), "float32", 1)
    np.testing.assert_array_equal(run(data, image, xnnpack=xnnpack), expected)


@pytest.mark.parametrize("xnnpack", [False, True])
def test_int8_gives_the_same_quanta(xnnpack):
    before = model((3, 4), (6, 8), dtype="int8")
    data, count = rewritten(before, gate_broadcast)
    assert count == 1
    image = random_image((1, 3, 4, 6), "int8")
    np.testing.assert_array_equal(
        run(data, image, xnnpack=xnnpack), run(before, image, xnnpack=xnnpack)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"small": (3, 3), "large": (7, 7)},
        {"small": (3, 3), "large": (6, 7)},
        {"small": (3, 3), "large": (6, 6), "readers": 2},
    ],
)
def test_what_it_must_leave_alone(arguments):
    before = model(**arguments)
    data, count = rewritten(before, gate_broadcast)
    assert count == 0
    assert ops(data) == ops(before)
