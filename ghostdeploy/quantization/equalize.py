"""Cross-layer equalization: channels of one tensor made alike, the function kept.

An int8 activation has one scale for all channels, so a quiet channel gets few of its 256 steps.
ReLU(x / s) = ReLU(x) / s for s > 0: what one convolution's output is divided by, channel by
channel, the next one's weights take back (Nagel et al., 2019, arXiv:1906.04721). Here the ranges
are measured on images, and weights are quantized per output channel, so that scaling an output
costs them nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ghostdeploy.zoo.ghostnetv1 import GhostNet
from ghostdeploy.zoo.layers import GhostBottleneck, GhostModule

SMALLEST = 0.05  # no channel is raised more than twentyfold: a dead one holds noise only
IMAGES = 32
BALANCE = 0.5  # the exponent; 1 would move the whole spread into the next layer's weights
Scales = dict[nn.Module, Tensor]


def equalize(network: nn.Module, inputs: NDArray[np.float32]) -> None:
    """Even out the channels inside every block of a ``DeployNetwork``, in place.

    The first 32 of ``inputs`` (N, 3, H, W) show how large each channel becomes. Only GhostNet's
    relatives (without BN) are changed: ReLU6 and the swishes of the others know no scale.
    """
    net = network.net
    if not isinstance(net, GhostNet):
        return
    largest = _find_largest(network, inputs[:IMAGES])
    for block in net.numbered_blocks():
        assert isinstance(block, GhostBottleneck)
        _equalize_block(block, largest)


def _find_largest(network: nn.Module, inputs: NDArray[np.float32]) -> Scales:
    """Return the largest magnitude of every channel of every convolution's output."""
    seen: Scales = {}

    def look(module: nn.Module, args: object, out: Tensor) -> None:
        top = out.detach().abs().amax(tuple(d for d in range(out.ndim) if d != 1))
        seen[module] = torch.maximum(seen[module], top) if module in seen else top

    hooks = [
        m.register_forward_hook(look)
        for m in network.modules()
        if isinstance(m, (nn.Conv2d, nn.ReLU))
    ]
    with torch.no_grad():
        for image in inputs:
            network(torch.from_numpy(image[None]))
    for hook in hooks:
        hook.remove()
    return seen


def _scales(largest: Tensor, balance: float = BALANCE) -> Tensor:
    return (largest / largest.max().clamp_min(1e-12)).clamp_min(SMALLEST) ** balance


def _divide_output(conv: nn.Conv2d, s: Tensor) -> None:
    conv.weight.data /= s.view(-1, 1, 1, 1)
    if conv.bias is not None:
        conv.bias.data /= s


def _multiply_input(conv: nn.Conv2d, s: Tensor) -> None:
    conv.weight.data *= s.view((-1, 1, 1, 1) if conv.groups > 1 else (1, -1, 1, 1))


def _equalize_block(block: GhostBottleneck, largest: Scales) -> None:
    hidden = _equalize_ghost(block.ghost1, largest)
    if block.stride > 1:
        _multiply_input(block.conv_dw, hidden)
        hidden = _scales(largest[block.conv_dw])
        _divide_output(block.conv_dw, hidden)
    if block.se is not None:  # its gate multiplies channel by channel: scales pass through
        _multiply_input(block.se.conv_reduce, hidden)
    _multiply_input(_conv(block.ghost2.primary_conv), hidden)
    for module in (block.ghost1, block.ghost2):
        if module.dfc is not None:
            _equalize_attention(module.short_conv, largest)
    if len(block.shortcut):
        _equalize_pair(_conv(block.shortcut), _conv(block.shortcut, 2), largest)


def _equalize_ghost(module: GhostModule, largest: Scales) -> Tensor:
    """Even out both halves of a Ghost module; returns what its output is divided by.

    The halves are concatenated, so all their channels are held against the same largest one.
    """
    primary, cheap = _conv(module.primary_conv), _conv(module.cheap_operation)
    halves = [largest[module.primary_conv[2]], largest[module.cheap_operation[2]]]
    scales = _scales(torch.cat(halves))
    first, second = scales.chunk(2)
    _divide_output(primary, first)
    _multiply_input(cheap, first)
    _divide_output(cheap, second)
    return scales


def _equalize_attention(branch: nn.Sequential, largest: Scales) -> None:
    """Even out 1×1 → 1×K → K×1, whose depthwise weights take any scale for nothing."""
    _equalize_pair(_conv(branch), _conv(branch, 2), largest, balance=1.0)
    _equalize_pair(_conv(branch, 2), _conv(branch, 4), largest, balance=1.0)


def _equalize_pair(
    first: nn.Conv2d, second: nn.Conv2d, largest: Scales, balance: float = BALANCE
) -> None:
    s = _scales(largest[first], balance)
    _divide_output(first, s)
    _multiply_input(second, s)


def _conv(sequence: nn.Sequential, index: int = 0) -> nn.Conv2d:
    conv = sequence[index]
    assert isinstance(conv, nn.Conv2d)
    return conv
