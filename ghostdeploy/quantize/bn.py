"""Ranges from batch normalization: what a channel can be expected to hold, without an image.

BN makes every channel β ± |γ| on the images that the network was trained on. A convolution's
output is taken to stay within 6 |γ| of β (Nagel et al., 2019, arXiv:1906.04721, §5), so that one
image beyond all others does not widen the range for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ghostdeploy.quantize.ranges import Range

SPREADS = 6.0  # standard deviations either side


def bounds(network: nn.Module, folded: nn.Module, even: nn.Module) -> dict[str, Range]:
    """Return the range of every convolution that has a BN in ``network``, by module.

    ``folded`` is the network with BN in its convolutions, ``even`` that equalized. A ReLU behind a
    convolution has the same range from zero up.
    """
    found: dict[str, Range] = {}
    for name, norm, activation in _normalized(network):
        divisor = _divisor(folded.get_submodule(name), even.get_submodule(name))
        middle, spread = norm.bias.detach(), SPREADS * norm.weight.detach().abs()
        low = float(((middle - spread) / divisor).min())
        high = float(((middle + spread) / divisor).max())
        found[name] = low, high
        if activation:
            found[activation] = max(low, 0.0), max(high, 0.0)
    return found


def _divisor(folded: nn.Module, even: nn.Module) -> Tensor:
    """Return what equalization divided each channel by, as its bias shows; 1 where that is zero."""
    before, after = folded.get_parameter("bias"), even.get_parameter("bias")
    return torch.where(after == 0, torch.ones_like(after), before / after).detach()


def _normalized(network: nn.Module) -> Iterator[tuple[str, nn.BatchNorm2d, str]]:
    """Yield every convolution's name, the BN that follows it, and the ReLU behind that, or ""."""
    for parent, module in network.named_modules():
        children = [*module.named_children(), ("", nn.Identity())]
        for (name, conv), (_, norm), (last, act) in zip(
            children, children[1:], children[2:], strict=False
        ):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                prefix = f"{parent}." if parent else ""
                yield prefix + name, norm, prefix + last if isinstance(act, nn.ReLU) else ""
