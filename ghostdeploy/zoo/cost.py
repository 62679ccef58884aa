"""Parameters and multiply-accumulates of a network, counted without running it."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo import STAGE_SIZES, build


@dataclass(frozen=True)
class Cost:
    """What a network costs: its ``params``, and its ``macs`` at batch 1.

    ``macs`` counts convolutions, linear layers and matrix products, BN not: the convention of the
    paper's "FLOPs" columns.
    """

    params: int
    macs: int


def count_cost(spec: ModelSpec, *, features: bool = False) -> Cost:
    """Count the cost of ``spec``, or with ``features`` of what computes its feature maps.

    Nothing is computed: torch's FLOP counter runs on the meta device. Raises MissingExtraError
    without torch.
    """
    network = build(spec)
    import torch
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    network = network.to("meta")
    if features:
        for last in (f"blocks.{len(STAGE_SIZES)}", "conv_head", "classifier"):
            network.set_submodule(last, nn.Identity())
    image = torch.empty(1, 3, *spec.resolution, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    params = sum(p.numel() for p in network.parameters())
    return Cost(params, counter.get_total_flops() // 2)
