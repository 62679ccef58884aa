"""Pixels as a network's input: the published mean and standard deviation, and the limits."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.images.normalization import BYTES
from ghostdeploy.images.preprocessing import Preprocessing

HOW = Preprocessing((56, 56))


def test_normalized_as_the_checkpoints_want():
    grey = np.full((2, 2, 3), 128, np.uint8)
    expected = [(128 / 255 - m) / s for m, s in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    np.testing.assert_allclose(HOW.finish(grey)[:, 0, 0], expected, rtol=1e-6)
    embedded = Preprocessing((2, 2), BYTES).finish(grey)
    assert embedded.shape == (3, 2, 2)
    assert (embedded == 128).all()


def test_the_limits_are_those_of_black_and_white():
    low, high = HOW.limits
    assert low == pytest.approx(-0.485 / 0.229)
    assert high == pytest.approx((1 - 0.406) / 0.225)


@pytest.mark.parametrize("crop", [0.05, 1.5])
def test_a_crop_that_leaves_nothing_or_more_than_all(crop):
    with pytest.raises(InputFileError) as caught:
        Preprocessing((56, 56), crop=crop)
    assert str(caught.value) == f"the crop must be 0.1 to 1 of the image, not {crop}"
