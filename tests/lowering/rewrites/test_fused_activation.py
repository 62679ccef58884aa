"""fused-activation moves an activation into the only operator that feeds it."""

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import fused_activation
from tests.lowering.rewrites.tiny import S, ops, random_image, rewritten, run, tiny

SHAPE = (1, 4, 4, 3)


def added(activation, own="NONE", *, read_twice=False):
    t = tiny()
    source, total, target = (t.tensor(SHAPE) for _ in range(3))
    offset = t.tensor((), "float32", np.float32(0.5))
    own = getattr(S.ActivationFunctionType, own)
    t.op("ADD", [source, offset], [total], kind="AddOptions", fusedActivationFunction=own)
    t.op(activation, [total], [target])
    if read_twice:
        t.op("LOGISTIC", [total], [t.tensor(SHAPE)])
    return t.bytes(source, target)


@pytest.mark.parametrize("activation", fused_activation.ACTIVATIONS)
def test_the_sum_clamps_by_itself(activation):
    before = added(activation)
    after, count = rewritten(before, fused_activation)
    image = 4 * random_image(SHAPE, "float32")
    assert (count, ops(after)) == (1, ["ADD"])
    for xnnpack in (False, True):
        want, got = (run(data, image, xnnpack=xnnpack) for data in (before, after))
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "model", [added("RELU", "RELU6"), added("RELU", read_twice=True), added("TANH")]
)
def test_what_is_read_twice_or_clamps_already_stays(model):
    after, count = rewritten(model, fused_activation)
    assert (count, ops(after)) == (0, ops(model))
