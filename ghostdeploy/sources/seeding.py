"""Weights for a network of a user's that brings none: random, and healthy BN statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ghostdeploy.zoo.weights import draw_parameters

FRESH = (0.0, 1.0)  # a new BN's mean and variance
LEAST_STD = 0.25  # of a layer's mean one: a channel that is dead here may wake on other inputs


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch normalizations that keep statistics."""
    return [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]


def is_fresh(network: nn.Module) -> bool:
    """Tell whether a network has batch normalizations and none has seen any data.

    Its outputs hardly vary, and prove nothing. A network without any is as it should be.
    """
    norms = batch_norms(network)
    return bool(norms) and all(
        bool((norm.running_mean == FRESH[0]).all() and (norm.running_var == FRESH[1]).all())
        for norm in norms
        if norm.running_mean is not None and norm.running_var is not None
    )


def seed_network(network: nn.Module, examples: Sequence[Sequence[Tensor]], seed: int) -> None:
    """Fill convolutions, linear layers and BN with seeded weights, and settle BN's statistics.

    What else has parameters keeps its own. ``examples`` are inputs, by forward's parameters.
    """
    random = np.random.RandomState(seed)
    layers = (nn.modules.conv._ConvNd, nn.Linear, _BatchNorm)
    for module in network.modules():
        if isinstance(module, layers):
            draw_parameters(module, random)
    settle_batch_norms(network, examples)


def settle_batch_norms(network: nn.Module, examples: Sequence[Sequence[Tensor]]) -> None:
    """Give every BN the mean and the variance of what it sees on all ``examples`` at once.

    Noise and pictures are far apart: statistics of one alone blow the other up, and chaos proves
    nothing. A network that takes one at a time only is settled on the last.
    """
    network.eval()
    batch = [torch.cat(each) for each in zip(*examples, strict=True)]
    try:
        _settle_on(network, batch)
    except Exception:  # whatever a network says that is made for a batch of one
        _settle_on(network, examples[-1])


def _settle_on(network: nn.Module, example: Sequence[Tensor]) -> None:
    seen: set[nn.Module] = set()
    handles = [norm.register_forward_pre_hook(_settle(seen)) for norm in batch_norms(network)]
    try:
        with torch.no_grad():
            network(*example)
    finally:
        for handle in handles:
            handle.remove()


def _settle(seen: set[nn.Module]) -> Any:
    """Make a hook that takes the statistics of the first input that a BN sees."""

    def take(norm: _BatchNorm, inputs: tuple[Any, ...]) -> None:
        if norm in seen:
            return
        seen.add(norm)
        x = inputs[0].double()
        over = [axis for axis in range(x.ndim) if axis != 1]
        mean, variance = x.mean(over), x.var(over, unbiased=False)
        std = variance.sqrt()
        floor = LEAST_STD * float(std.mean()) or 1.0
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean.to(norm.running_mean.dtype))
        norm.running_var.copy_((std.clamp_min(floor) ** 2).to(norm.running_var.dtype))

    return take
