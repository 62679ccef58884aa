"""nearest-depth copies the pixels that a plain index says, in every type and by every kernel."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ghostdeploy.lowering.rewrites import nearest_depth
from tests.lowering.rewrites.tiny import ops, random_image, rewritten, run, tiny

SIZES = [((3, 3), (7, 7)), ((2, 4), (4, 8)), ((5, 5), (11, 11)), ((3, 4), (7, 8)), ((4, 3), (8, 7))]


def resize(small, large, dtype="float32", half_pixel=False, align_corners=False):
    t = tiny()
    source, target = t.tensor((1, *small, 6), dtype), t.tensor((1, *large, 6), dtype)
    size = t.tensor((2,), "int32", np.array(large, np.int32))
    t.op(
        "RESIZE_NEAREST_NEIGHBOR",
        [source, size],
        [target],
        kind="ResizeNearestNeighborOptions",
        halfPixelCenters=half_pixel,
        alignCorners=align_corners,
    )
    return t.bytes(source, target)


@pytest.mark.parametrize(("small", "large"), SIZES)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_pixels_as_torch(small, large, dtype, xnnpack):
    data, count = rewritten(resize(small, large, dtype), nearest_depth)
    image = random_image((1, *small, 6), dtype)
    expected = F.interpolate(torch.from_numpy(image).permute(0, 3, 1, 2).float(), large)
    assert count == 1
    assert "RESIZE_NEAREST_NEIGHBOR" not in ops(data)
    np.testing.assert_array_equal(
        run(data, image, xnnpack=xnnpack), expected.permute(0, 2, 3, 1).numpy()
    )


def test_it_needs_no_slice_or_reshape():
    data, _ = rewritten(resize((3, 3), (7, 7)), nearest_depth)
    assert ops(data) == [
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "DEPTHWISE_CONV_2D",
        "CONCATENATION",
        "DEPTHWISE_CONV_2D",
        "CONCATENATION",
    ]


@pytest.mark.parametrize(
    ("small", "large", "options"),
    [
        ((3, 3), (7, 7), {"half_pixel": True}),
        ((2, 2), (4, 4), {"align_corners": True}),
        ((3, 3), (9, 9), {}),
        ((4, 4), (4, 4), {}),
        ((4, 4), (2, 2), {}),
    ],
)
def test_another_function_is_left_alone(small, large, options):
    before = resize(small, large, **options)
    data, count = rewritten(before, nearest_depth)
    assert count == 0
    assert ops(data) == ["RESIZE_NEAREST_NEIGHBOR"]


def test_half_pixel_centres_agree_where_the_size_is_even():
    before = resize((3, 5), (6, 10), half_pixel=True)
    data, count = rewritten(before, nearest_depth)
    image = random_image((1, 3, 5, 6), "float32")
    assert count == 1
    np.testing.assert_array_equal(run(data, image, xnnpack=True), run(before, image, xnnpack=False))
