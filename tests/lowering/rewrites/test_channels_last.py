"""channels-last takes a detour through NCHW out, or leaves the graph as it was."""

import numpy as np
import pytest

from ghostdeploy.lowering.rewrites import channels_last
from tests.lowering.rewrites.tiny import ops, random_image, rewritten, run, tiny

SIDES = {"nhwc": (1, 4, 6, 3), "nchw": (1, 3, 4, 6)}
TURNS = {"to nchw": (0, 3, 1, 2), "to nhwc": (0, 2, 3, 1)}


class Detour:
    """A graph that begins NHWC; its tensors are of SIDES unless said."""

    def __init__(self):
        self.t = tiny()
        self.source = self.t.tensor(SIDES["nhwc"])
        self.map = self.turn("to nchw", self.source)

    def turn(self, name, tensor, shape=None):
        shape = shape or SIDES[name.removeprefix("to ")]
        made = self.t.tensor(shape)
        axes = self.t.tensor((4,), "int32", np.array(TURNS[name], np.int32))
        self.t.op("TRANSPOSE", [tensor, axes], [made], kind="TransposeOptions")
        return made

    def constant(self, values):
        values = np.asarray(values, np.float32)
        return self.t.tensor(values.shape, "float32", values)

    def step(self, name, inputs, shape=SIDES["nchw"], **options):
        made = self.t.tensor(shape)
        self.t.op(name, inputs, [made], **options)
        return made

    def check(self, target, kinds, count):
        """Compare before and after, in both kernels, and what operators are left."""
        before = self.t.bytes(self.source, target)
        after, changed = rewritten(before, channels_last)
        image = random_image(SIDES["nhwc"], "float32")
        assert (changed, ops(after)) == (count, kinds)
        for xnnpack in (False, True):
            want = run(before, image, xnnpack=xnnpack)
            np.testing.assert_allclose(
                run(after, image, xnnpack=xnnpack), want, rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("factor", [2.0, np.arange(3).reshape(3, 1, 1), np.arange(6)])
def test_elementwise_operators_take_either_layout(factor):
    d = Detour()
    product = d.step("MUL", [d.map, d.constant(factor)], kind="MulOptions")
    gate = d.step("LOGISTIC", [product])
    both = d.step("ADD", [product, gate], kind="AddOptions")
    d.check(d.turn("to nhwc", both), ["MUL", "LOGISTIC", "ADD"], 2)


@pytest.mark.parametrize(("axis", "sides"), [(1, (6, 4, 6)), (-1, (3, 4, 12)), (2, (3, 8, 6))])
def test_concatenations_move_their_axis(axis, sides):
    d = Detour()
    joined = d.step(
        "CONCATENATION", [d.map, d.map], (1, *sides), kind="ConcatenationOptions", axis=axis
    )
    channels, height, width = sides
    out = d.turn("to nhwc", joined, (1, height, width, channels))
    d.check(out, ["CONCATENATION"], 2)


def test_paddings_move_their_amounts():
    d = Detour()
    amounts = np.array([[0, 0], [0, 1], [2, 0], [1, 1]], np.int32)
    padded = d.step("PAD", [d.map, d.t.tensor((4, 2), "int32", amounts)], (1, 4, 6, 8))
    d.check(d.turn("to nhwc", padded, (1, 6, 8, 4)), ["PAD"], 2)


@pytest.mark.parametrize("keep", [False, True])
def test_means_over_the_picture_end_the_detour(keep):
    d = Detour()
    axes = d.t.tensor((2,), "int32", np.array([2, 3], np.int32))
    shape = (1, 3, 1, 1) if keep else (1, 3)
    mean = d.step("MEAN", [d.map, axes], shape, kind="ReducerOptions", keepDims=keep)
    if not keep:
        return d.check(mean, ["MEAN"], 1)
    d.check(d.turn("to nhwc", mean, (1, 1, 1, 3)), ["MEAN"], 2)


def test_a_reshape_of_single_pixels_is_such_a_turn():
    d = Detour()
    axes = d.t.tensor((2,), "int32", np.array([1, 2], np.int32))
    mean = d.step("MEAN", [d.source, axes], (1, 1, 1, 3), kind="ReducerOptions", keepDims=True)
    shape = d.t.tensor((4,), "int32", np.array([1, 3, 1, 1], np.int32))
    gate = d.step("RESHAPE", [mean, shape], (1, 3, 1, 1), kind="ReshapeOptions")
    product = d.step("MUL", [d.map, gate], kind="MulOptions")
    d.check(d.turn("to nhwc", product), ["MEAN", "MUL"], 3)


def test_a_map_that_is_needed_in_nchw_is_left():
    d = Detour()
    d.check(d.step("RELU", [d.map]), ["TRANSPOSE", "RELU"], 0)


def test_a_mean_over_channels_alone_gives_a_map_of_another_order():
    d = Detour()
    axes = d.t.tensor((2,), "int32", np.array([0, 2], np.int32))
    mean = d.step("MEAN", [d.map, axes], (3, 6), kind="ReducerOptions")
    d.check(mean, ["TRANSPOSE", "MEAN"], 0)
