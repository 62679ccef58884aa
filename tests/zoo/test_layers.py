"""The building blocks against loops and formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ghostdeploy.zoo.layers import (
    GATES,
    DfcDown,
    DfcUp,
    GhostModule,
    SqueezeExcite,
    make_divisible,
    shrink_side,
)
from ghostdeploy.zoo.options import DfcOptions


@pytest.mark.parametrize(
    ("channels", "rounded"),
    [
        *((16.0, 16), (20.8, 20), (31.2, 32), (18.0, 20), (17.7, 16), (1.6, 4), (0.1, 4)),
        *((5.0, 8), (6.0, 8), (9.0, 12), (13.9, 16), (14.0, 16), (168.0, 168), (1248.0, 1248)),
    ],
)
def test_make_divisible(channels: float, rounded: int) -> None:
    assert make_divisible(channels) == rounded
    assert rounded >= 0.9 * channels


def seeded_module(dfc: DfcOptions | None, kernel: int = 5) -> GhostModule:
    generator = torch.Generator().manual_seed(3)
    module = GhostModule(6, 8, relu=True, dfc=dfc, dfc_kernel=kernel).double().eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(-1, 1, generator=generator)
    for norm in (m for m in module.modules() if isinstance(m, nn.BatchNorm2d)):
        assert norm.running_var is not None
        norm.running_var.abs_().add_(0.1)
    return module


def depthwise(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Zero-padded convolution a channel by explicit sums: (C, H, W) with (C, 1, h, w)."""
    channels, height, width = x.shape
    down, right = weight.shape[2] // 2, weight.shape[3] // 2
    out = np.zeros_like(x)
    for c, i, j in np.ndindex(channels, height, width):
        for a, b in np.ndindex(weight.shape[2:]):
            h, w = i + a - down, j + b - right
            if 0 <= h < height and 0 <= w < width:
                out[c, i, j] += weight[c, 0, a, b] * x[c, h, w]
    return out


def batch_norm(x: np.ndarray, norm: nn.BatchNorm2d) -> np.ndarray:
    mean, var, scale, shift = (
        t.detach().numpy()[:, None, None]
        for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / np.sqrt(var + 1e-5) * scale + shift


def test_a_gated_ghost_module_by_loops() -> None:
    module = seeded_module(DfcOptions())
    x = np.random.RandomState(0).uniform(-2, 2, (6, 7, 9))

    def weight(layer) -> np.ndarray:
        return layer.weight.detach().numpy()

    def pointwise(layer, y: np.ndarray) -> np.ndarray:
        return np.einsum("oi,ihw->ohw", weight(layer)[:, :, 0, 0], y)

    primary, cheap, short = module.primary_conv, module.cheap_operation, module.short_conv
    half = np.maximum(batch_norm(pointwise(primary[0], x), primary[1]), 0)
    other = np.maximum(batch_norm(depthwise(half, weight(cheap[0])), cheap[1]), 0)
    pooled = np.zeros((6, 3, 4))
    for c, i, j in np.ndindex(pooled.shape):
        pooled[c, i, j] = x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
    gate = batch_norm(pointwise(short[0], pooled), short[1])
    assert weight(short[2]).shape[2:] == (1, 5)
    assert weight(short[4]).shape[2:] == (5, 1)
    gate = batch_norm(depthwise(gate, weight(short[2])), short[3])
    gate = batch_norm(depthwise(gate, weight(short[4])), short[5])
    gate = 1 / (1 + np.exp(-gate))
    expected = np.concatenate([half, other])
    for c, i, j in np.ndindex(expected.shape):
        expected[c, i, j] *= gate[c, i * 3 // 7, j * 4 // 9]

    with torch.no_grad():
        got = module(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    assert gate.std() > 0.05


def test_dfc_attention_is_the_decoupled_aggregation_of_equations_4_and_5() -> None:
    """With BN as the identity: along each row, then each column, weights shared by distance.

    It also equals one sum over the whole map (Eq. 3) whose weights are the products.
    """
    module = seeded_module(DfcOptions(ratio=1.0), kernel=5)
    for norm in (m for m in module.short_conv if isinstance(m, nn.BatchNorm2d)):
        norm.reset_running_stats()
        norm.reset_parameters()
        norm.eps = 0.0
    x = np.random.RandomState(1).uniform(-2, 2, (6, 4, 3))
    to_z, along_w, along_h = (module.short_conv[i].weight.detach().numpy() for i in (0, 2, 4))
    z = np.einsum("oi,ihw->ohw", to_z[:, :, 0, 0], x)

    def share(kernel: np.ndarray, here: int, there: int) -> float:
        offset = there - here + len(kernel) // 2
        return kernel[offset] if 0 <= offset < len(kernel) else 0.0

    decoupled, full = np.zeros_like(z), np.zeros_like(z)
    channels, height, width = z.shape
    for c in range(channels):
        row, column = along_w[c, 0, 0, :], along_h[c, 0, :, 0]
        rows = np.zeros((height, width))
        for h, w, there in np.ndindex(height, width, width):
            rows[h, w] += share(row, w, there) * z[c, h, there]
        for h, w, there in np.ndindex(height, width, height):
            decoupled[c, h, w] += share(column, h, there) * rows[there, w]
        for h, w, h2, w2 in np.ndindex(height, width, height, width):
            full[c, h, w] += share(column, h, h2) * share(row, w, w2) * z[c, h2, w2]

    with torch.no_grad():
        logits = module.short_conv(module.down(torch.from_numpy(x)[None]))[0].numpy()
        attention = module.attention(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(logits, decoupled, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(full, decoupled, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(attention, 1 / (1 + np.exp(-decoupled)), rtol=1e-10)


@pytest.mark.parametrize(
    ("small", "large", "picks"),
    [(3, 7, [0, 0, 0, 1, 1, 2, 2]), (7, 14, [i // 2 for i in range(14)]), (1, 2, [0, 0])],
)
def test_nearest_takes_the_floor(small: int, large: int, picks: list[int]) -> None:
    column = torch.arange(float(small)).view(1, 1, small, 1).expand(1, 1, small, small)
    up = DfcUp("nearest")
    assert up(column, (large, large))[0, 0, :, 0].tolist() == picks
    assert up(column.transpose(2, 3), (large, large))[0, 0, 0].tolist() == picks


def test_bilinear_up_sampling_is_half_pixel_without_aligned_corners() -> None:
    gate = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    assert DfcUp("bilinear")(gate, (1, 4)).flatten().tolist() == [0.0, 0.25, 0.75, 1.0]


def test_bicubic_overshoots() -> None:
    gate = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(1, 1, 1, 4)
    out = DfcUp("bicubic")(gate, (1, 8))
    assert out.min() < 0
    assert out.max() > 1


X = torch.tensor([[1.0, 2.0, 3.0], [5.0, 4.0, 9.0], [7.0, 7.0, 7.0]]).view(1, 1, 3, 3)


@pytest.mark.parametrize(("mode", "expected"), [("average", 3.0), ("max", 5.0)])
def test_half_size_pooling_drops_the_odd_row_and_column(mode: str, expected: float) -> None:
    assert DfcDown(DfcOptions(down=mode))(X).tolist() == [[[[expected]]]]


@pytest.mark.parametrize("mode", ["average", "max", "bilinear"])
@pytest.mark.parametrize(("ratio", "side"), [(0.3, 3), (0.5, 5), (0.7, 7), (1.0, 10)])
def test_every_ratio_gives_the_floor_of_the_side(mode: str, ratio: float, side: int) -> None:
    x = torch.rand(1, 2, 10, 10, generator=torch.Generator().manual_seed(0))
    y = DfcDown(DfcOptions(down=mode, ratio=ratio))(x)
    assert y.shape == (1, 2, side, side)
    assert (y == x).all() if ratio == 1.0 else y.std() < x.std() or mode == "max"


@pytest.mark.parametrize(("side", "ratio", "small"), [(10, 0.7, 7), (56, 0.3, 16), (7, 0.5, 3)])
def test_shrunk(side: int, ratio: float, small: int) -> None:
    assert shrink_side(side, ratio) == small


@pytest.mark.parametrize(
    ("gate", "points"),
    [
        ("hard_sigmoid", {-4.0: 0.0, -3.0: 0.0, -1.5: 0.25, 0.0: 0.5, 3.0: 1.0, 9.0: 1.0}),
        ("clip", {-1.0: 0.0, 0.0: 0.0, 0.3: 0.3, 1.0: 1.0, 2.0: 1.0}),
        ("sigmoid", {0.0: 0.5, 1.0: 0.7310585786, -1.0: 0.2689414214}),
    ],
)
def test_gates(gate: str, points: dict[float, float]) -> None:
    got = GATES[gate]()(torch.tensor(list(points)))
    torch.testing.assert_close(got, torch.tensor(list(points.values())))


def test_squeeze_excite_scales_channels_by_a_hard_sigmoid() -> None:
    se = SqueezeExcite(16, 4)
    assert se.conv_reduce.out_channels == 4
    with torch.no_grad():
        se.conv_reduce.weight.zero_()
        se.conv_reduce.bias.fill_(-1.0)  # ReLU inside: nothing of it may arrive
        se.conv_expand.weight.fill_(100.0)
        se.conv_expand.bias.copy_(torch.linspace(-4, 4, 16))
        x = torch.rand(1, 16, 3, 3, generator=torch.Generator().manual_seed(0))
        scale = (torch.linspace(-4, 4, 16) + 3).clamp(0, 6) / 6
        torch.testing.assert_close(se(x), x * scale.view(1, 16, 1, 1))


def test_the_second_module_of_a_block_has_no_relu() -> None:
    with_relu, without = (GhostModule(4, 8, relu=flag).eval() for flag in (True, False))
    x = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert with_relu(x).min() == 0
        assert without(x).min() < 0
