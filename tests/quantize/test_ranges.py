"""How an activation's range is chosen, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.quantize import RANGES, ranges
from ghostdeploy.quantize.ranges import METHODS, Observed
from tests.export.rewrites.tiny import tiny


def seen(values) -> Observed:
    observed = Observed()
    observed.add(np.asarray(values, np.float32))
    return observed


def error_of(values, limits) -> float:
    """The squared error of 8 bits over ``limits``, written down anew."""
    grid = np.linspace(min(limits[0], 0), max(limits[1], 0), 256)
    cells = np.digitize(values, (grid[1:] + grid[:-1]) / 2)
    return float(((values - grid[cells]) ** 2).sum())


def test_every_method_has_a_name():
    assert set(METHODS) == set(RANGES)


def test_the_full_range_is_exact_over_many_images():
    observed = seen([1.0, -2.0])
    observed.add(np.array([7.0], np.float32))
    assert ranges.full(observed) == (-2.0, 7.0)


def test_percentile_leaves_a_lone_outlier_out():
    values = np.append(np.linspace(0, 1, 100_000), 100.0)
    _, high = ranges.percentile(Observed(0, 100, [values.astype(np.float32)]))
    assert 0.99 < high < 1.01


def test_least_squares_beats_the_full_range_where_there_is_an_outlier():
    random = np.random.RandomState(0)
    values = np.append(np.abs(random.randn(100_000)), 12.0).astype(np.float32)
    observed = Observed(float(values.min()), float(values.max()), [values])
    picked = ranges.least_squares(observed)
    assert error_of(values, picked) < error_of(values, ranges.full(observed))


def test_least_squares_keeps_the_full_range_of_even_values():
    values = np.linspace(-1, 1, 1001).astype(np.float32)
    assert ranges.least_squares(Observed(-1, 1, [values])) == (-1, 1)


@pytest.fixture
def doubled() -> bytes:
    """relu(x) + relu(x)."""
    t = tiny()
    a, b, c = (t.tensor((1, 2, 2, 3)) for _ in range(3))
    t.op("RELU", [a], [b])
    t.op("ADD", [b, b], [c], kind="AddOptions")
    return t.bytes(a, c)


def test_observed_values_are_those_of_the_graph(doubled):
    inputs = np.arange(-6, 6, dtype=np.float32).reshape(1, 3, 2, 2)
    found = ranges.observe(doubled, inputs)
    assert sorted((o.low, o.high) for o in found.values()) == [(-6, 5), (0, 5), (0, 10)]


def test_what_comes_in_and_out_is_never_clipped(doubled):
    inputs = np.zeros((1, 3, 2, 2), np.float32)
    inputs[0, 0, 0, 0] = 100
    found = ranges.observe(doubled, inputs)
    picked = ranges.choose_ranges(doubled, found, "percentile", (-3.0, 200.0))
    graph = flatbuffer.load(doubled, "tiny").subgraphs[0]
    assert picked[int(graph.inputs[0])] == (-3.0, 200.0)
    assert picked[int(graph.outputs[0])] == (0.0, 200.0)


def test_what_is_only_moved_keeps_its_sources_range():
    """sigmoid → four copies → pixels: one range, the one that TFLite's int8 LOGISTIC has."""
    t = tiny()
    a, b = t.tensor((1, 2, 2, 3)), t.tensor((1, 2, 2, 3))
    c, d = t.tensor((1, 2, 2, 12)), t.tensor((1, 4, 4, 3))
    t.op("LOGISTIC", [a], [b])
    t.op("CONCATENATION", [b, b, b, b], [c], kind="ConcatenationOptions", axis=3)
    t.op("DEPTH_TO_SPACE", [c], [d], kind="DepthToSpaceOptions", blockSize=2)
    model = t.bytes(a, d)
    found = ranges.observe(model, np.zeros((1, 3, 2, 2), np.float32))
    picked = ranges.choose_ranges(model, found, "minmax", (-1.0, 1.0))
    source = int(flatbuffer.load(model, "tiny").subgraphs[0].inputs[0])
    moved = [limits for index, limits in picked.items() if index != source]
    assert moved == [(0.0, 255 / 256)] * 3


def test_bounds_cut_what_convolutions_give_and_no_more():
    """x → PAD → 1×1 → ReLU; the PAD is called like the convolution."""
    t = tiny()
    a, b = t.tensor((1, 2, 2, 1)), t.tensor((1, 4, 4, 1))
    c, d = t.tensor((1, 4, 4, 1)), t.tensor((1, 4, 4, 1))
    margins = t.tensor((4, 2), "int32", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    weights = t.tensor((1, 1, 1, 1), "float32", np.full((1, 1, 1, 1), 2, np.float32))
    zeros = t.tensor((1,), "float32", np.zeros(1, np.float32))
    t.op("PAD", [a, margins], [b], kind="PadOptions")
    t.op("CONV_2D", [b, weights, zeros], [c], kind="Conv2DOptions", strideH=1, strideW=1,
         dilationHFactor=1, dilationWFactor=1)  # fmt: skip
    t.op("RELU", [c], [d])
    for index, name in ((b, b"m/conv'"), (c, b"m/conv"), (d, b"last/relu")):
        t.graph.tensors[index].name = name
    model = t.bytes(a, d)
    found = ranges.observe(model, np.array([-5, 1, 2, 9], np.float32).reshape(1, 1, 2, 2))
    picked = ranges.choose_ranges(
        model, found, "bn", (-5, 9), {"m": (-4.0, 30.0), "last": (0.0, 1.0)}
    )
    assert (picked[b], picked[c]) == ((-5.0, 9.0), (-4.0, 18.0))
    assert picked[d] == (0.0, 18.0)  # what comes out is never clipped


def test_both_parts_of_a_split_keep_its_range():
    t = tiny()
    a, b, c = t.tensor((1, 2, 2, 2)), t.tensor((1, 2, 2, 2)), t.tensor((1, 2, 2, 1))
    d, e = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    axis = t.tensor((), "int32", np.array(3, np.int32))
    t.op("RELU", [a], [b])
    t.op("SPLIT", [axis, b], [c, d], kind="SplitOptions", numSplits=2)
    t.op("ADD", [c, d], [e], kind="AddOptions")
    model = t.bytes(a, e)
    image = np.array([[1, 1], [1, 1], [7, 7], [7, 7]], np.float32).reshape(1, 2, 2, 2)
    picked = ranges.choose_ranges(model, ranges.observe(model, image), "minmax", (0.0, 7.0))
    assert picked[c] == picked[d] == (1.0, 7.0)
