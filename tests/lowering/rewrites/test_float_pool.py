"""float-pool is the mean of four."""

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import float_pool
from tests.lowering.rewrites.test_pool_depthwise import pooling
from tests.lowering.rewrites.tiny import S, ops, random_image, rewritten, run


@pytest.mark.parametrize("xnnpack", [False, True])
def test_pooling_by_four_is_the_mean(xnnpack):
    data, count = rewritten(pooling("float32"), float_pool)
    assert (count, ops(data)) == (1, ["DEPTHWISE_CONV_2D"])
    image = random_image((1, 9, 8, 5), "float32")
    mean = image[:, :8].reshape(1, 4, 2, 4, 2, 5).mean((2, 4), dtype=np.float64)
    np.testing.assert_allclose(run(data, image, xnnpack=xnnpack), mean, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "options"),
    [("int8", {}), ("float32", {"padding": S.Padding.SAME}), ("float32", {"activation": 1})],
)
def test_another_pooling_is_left_alone(dtype, options):
    _, count = rewritten(pooling(dtype, **options), float_pool)
    assert count == 0
