"""clip-relu clamps to 0–1 exactly, edges and infinities included."""

import numpy as np

from ghostdeploy.lowering.rewrites import clip_relu
from tests.lowering.rewrites.tiny import ops, rewritten, run, tiny


def test_clamps_alike_everywhere():
    t = tiny()
    source, target = t.tensor((1, 3, 4, 1)), t.tensor((1, 3, 4, 1))
    t.op("RELU_0_TO_1", [source], [target])
    data, count = rewritten(t.bytes(source, target), clip_relu)
    values = [-np.inf, -3, -1, -0.5, -1e-30, 0, 1e-30, 0.5, 1, 1 + 1e-6, 7, np.inf]
    image = np.array(values, np.float32).reshape(1, 3, 4, 1)
    assert count == 1
    assert ops(data) == ["RELU", "RELU_N1_TO_1"]
    for xnnpack in (False, True):
        np.testing.assert_array_equal(run(data, image, xnnpack=xnnpack), np.clip(image, 0, 1))
