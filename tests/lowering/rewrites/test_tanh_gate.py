"""tanh-gate on a small gated network, against torch in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy.lowering.rewrites import tanh_gate
from tests.lowering.rewrites.tiny import ops, random_image, rewritten, run, tiny

C = 4
SIDE = 6


class Net:
    """Convolutions of a tiny model, and the same in torch."""

    def __init__(self) -> None:
        self.t = tiny()
        self.weights: list[tuple[np.ndarray, np.ndarray]] = []

    def conv(self, source: int, out: int, shape: tuple[int, ...]) -> int:
        depth = int(self.t.graph.tensors[source].shape[3])
        seed = 10 + len(self.weights)
        filters = random_image((out, 1, 1, depth), "float32", seed)
        bias = random_image((out,), "float32", seed + 100)
        self.weights.append((filters, bias))
        target = self.t.tensor(shape)
        inputs = [source, *(self.t.tensor(v.shape, "float32", v) for v in (filters, bias))]
        self.t.op("CONV_2D", inputs, [target], kind="Conv2DOptions", strideH=1, strideW=1,
                  dilationHFactor=1, dilationWFactor=1)  # fmt: skip
        return target

    def torch_conv(self, number: int, x: torch.Tensor) -> torch.Tensor:
        filters, bias = (torch.from_numpy(v).double() for v in self.weights[number])
        return x @ filters[:, 0, 0].T + bias


def gated(squeeze: bool, also_added: bool = False) -> tuple[bytes, Net]:
    """x · σ(conv(x)), squeeze-excite or nothing, then a convolution (and x added, to spoil it)."""
    net, t = Net(), None
    t = net.t
    shape = (1, SIDE, SIDE, C)
    source = t.tensor(shape)
    logits = net.conv(source, C, shape)
    gate, product = t.tensor(shape), t.tensor(shape)
    t.op("LOGISTIC", [logits], [gate])
    t.op("MUL", [source, gate], [product], kind="MulOptions")
    if squeeze:
        axes = t.tensor((2,), "int32", np.array([1, 2], np.int32))
        mean, scaled = t.tensor((1, 1, 1, C)), t.tensor(shape)
        t.op("MEAN", [product, axes], [mean], kind="ReducerOptions", keepDims=True)
        factor = net.conv(mean, C, (1, 1, 1, C))
        t.op("MUL", [product, factor], [scaled], kind="MulOptions")
        product = scaled
    if also_added:
        total = t.tensor(shape)
        t.op("ADD", [product, source], [total], kind="AddOptions")
        product = total
    target = net.conv(product, C, shape)
    return t.bytes(source, target), net


def reference(net: Net, image: np.ndarray, squeeze: bool) -> np.ndarray:
    x = torch.from_numpy(image).double()
    y = x * net.torch_conv(0, x).sigmoid()
    if squeeze:
        y = y * net.torch_conv(1, y.mean((1, 2), keepdim=True))
    return net.torch_conv(-1, y).numpy()


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_gates(squeeze, xnnpack):
    before, net = gated(squeeze)
    data, count = rewritten(before, tanh_gate)
    assert count == 1
    assert "LOGISTIC" not in ops(data)
    assert ops(data).count("TANH") == 1
    image = random_image((1, SIDE, SIDE, C), "float32")
    got = run(data, image, xnnpack=xnnpack)
    np.testing.assert_allclose(got, reference(net, image, squeeze), atol=1e-5)


def test_a_product_that_is_added_to_something_stays():
    before, _ = gated(False, also_added=True)
    assert rewritten(before, tanh_gate)[1] == 0
