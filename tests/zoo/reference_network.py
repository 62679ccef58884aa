"""GhostNetV2 written down a second time: functions of a state dict, from the published table."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]

# kernel, expansion, out, SE, stride of each block, and the checkpoint's path to it.
BLOCKS = (
    ("blocks.0.0", 3, 16, 16, 0, 1),
    ("blocks.1.0", 3, 48, 24, 0, 2),
    ("blocks.2.0", 3, 72, 24, 0, 1),
    ("blocks.3.0", 5, 72, 40, 1, 2),
    ("blocks.4.0", 5, 120, 40, 1, 1),
    ("blocks.5.0", 3, 240, 80, 0, 2),
    ("blocks.6.0", 3, 200, 80, 0, 1),
    ("blocks.6.1", 3, 184, 80, 0, 1),
    ("blocks.6.2", 3, 184, 80, 0, 1),
    ("blocks.6.3", 3, 480, 112, 1, 1),
    ("blocks.6.4", 3, 672, 112, 1, 1),
    ("blocks.7.0", 5, 672, 160, 1, 2),
    ("blocks.8.0", 5, 960, 160, 0, 1),
    ("blocks.8.1", 5, 960, 160, 1, 1),
    ("blocks.8.2", 5, 960, 160, 0, 1),
    ("blocks.8.3", 5, 960, 160, 1, 1),
)
BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def keys() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the published 1.0× checkpoint's tensors, in order."""

    def conv(conv_name: str, bn_name: str, *shape: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{conv_name}.weight", shape
        for part in BN:
            yield f"{bn_name}.{part}", () if part == BN[-1] else (shape[0],)

    def pair(path: str, index: int, *shape: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        return conv(f"{path}.{index}", f"{path}.{index + 1}", *shape)

    def ghost(path: str, c_in: int, c_out: int, dfc: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield from pair(f"{path}.primary_conv", 0, c_out // 2, c_in, 1, 1)
        yield from pair(f"{path}.cheap_operation", 0, c_out // 2, 1, 3, 3)
        if dfc:
            yield from pair(f"{path}.short_conv", 0, c_out, c_in, 1, 1)
            yield from pair(f"{path}.short_conv", 2, c_out, 1, 1, 5)
            yield from pair(f"{path}.short_conv", 4, c_out, 1, 5, 1)

    def biased(path: str, *shape: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{path}.weight", shape
        yield f"{path}.bias", (shape[0],)

    yield from conv("conv_stem", "bn1", 16, 3, 3, 3)
    c_in = 16
    reduced = {72: 20, 120: 32, 480: 120, 672: 168, 960: 240}  # multiples of four next to a quarter
    for number, (path, k, exp, out, se, stride) in enumerate(BLOCKS):
        yield from ghost(f"{path}.ghost1", c_in, exp, number >= 2)
        if stride == 2:
            yield from conv(f"{path}.conv_dw", f"{path}.bn_dw", exp, 1, k, k)
        if se:
            yield from biased(f"{path}.se.conv_reduce", reduced[exp], exp, 1, 1)
            yield from biased(f"{path}.se.conv_expand", exp, reduced[exp], 1, 1)
        yield from ghost(f"{path}.ghost2", exp, out, False)
        if stride == 2 or c_in != out:
            yield from pair(f"{path}.shortcut", 0, c_in, 1, k, k)
            yield from pair(f"{path}.shortcut", 2, out, c_in, 1, 1)
        c_in = out
    yield from conv("blocks.9.0.conv", "blocks.9.0.bn1", 960, 160, 1, 1)
    yield from biased("conv_head", 1280, 960, 1, 1)
    yield from biased("classifier", 1000, 1280)


def logits(state: State, image: Tensor) -> Tensor:
    x = F.relu(_conv_bn(state, "conv_stem", "bn1", image, stride=2))
    for number, (path, _, _, _, se, stride) in enumerate(BLOCKS):
        y = ghost_module(state, f"{path}.ghost1", x, relu=True, dfc=number >= 2)
        if stride == 2:
            y = _conv_bn(state, f"{path}.conv_dw", f"{path}.bn_dw", y, stride=2)
        if se:
            y = y * _squeeze_excite(state, f"{path}.se", y)
        y = ghost_module(state, f"{path}.ghost2", y, relu=False, dfc=False)
        x = y + _shortcut(state, f"{path}.shortcut", x, stride)
    x = F.relu(_conv_bn(state, "blocks.9.0.conv", "blocks.9.0.bn1", x))
    x = F.adaptive_avg_pool2d(x, 1)
    x = F.relu(F.conv2d(x, state["conv_head.weight"], state["conv_head.bias"]))
    return F.linear(x.flatten(1), state["classifier.weight"], state["classifier.bias"])


def ghost_module(state: State, path: str, x: Tensor, *, relu: bool, dfc: bool) -> Tensor:
    act = F.relu if relu else torch.clone
    primary = act(_pair(state, f"{path}.primary_conv", 0, x))
    out = torch.cat([primary, act(_pair(state, f"{path}.cheap_operation", 0, primary))], 1)
    if not dfc:
        return out
    gate = F.avg_pool2d(x, kernel_size=2, stride=2)
    for index in (0, 2, 4):
        gate = _pair(state, f"{path}.short_conv", index, gate)
    gate = torch.sigmoid(gate)
    # torch's "nearest": the source is the floor of position · source size / target size.
    rows, columns = (
        torch.arange(to) * fro // to for to, fro in zip(out.shape[2:], gate.shape[2:], strict=True)
    )
    return out * gate[:, :, rows][:, :, :, columns]


def _pair(state: State, path: str, index: int, x: Tensor, stride: int = 1) -> Tensor:
    return _conv_bn(state, f"{path}.{index}", f"{path}.{index + 1}", x, stride)


def _conv_bn(state: State, conv: str, bn: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = state[f"{conv}.weight"]
    padding = (weight.shape[2] // 2, weight.shape[3] // 2)
    x = F.conv2d(x, weight, None, stride, padding, groups=x.shape[1] // weight.shape[1])
    scale, shift, mean, variance = (state[f"{bn}.{part}"].view(1, -1, 1, 1) for part in BN[:4])
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def _squeeze_excite(state: State, path: str, x: Tensor) -> Tensor:
    reduce, expand = f"{path}.conv_reduce", f"{path}.conv_expand"
    y = x.mean((2, 3), keepdim=True)
    y = F.relu(F.conv2d(y, state[f"{reduce}.weight"], state[f"{reduce}.bias"]))
    y = F.conv2d(y, state[f"{expand}.weight"], state[f"{expand}.bias"])
    return torch.clamp(y + 3, 0, 6) / 6


def _shortcut(state: State, path: str, x: Tensor, stride: int) -> Tensor:
    if f"{path}.0.weight" not in state:
        return x
    return _pair(state, path, 2, _pair(state, path, 0, x, stride))
