"""Parameters and multiply-accumulates of a network, counted without running it."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo import build


@dataclass(frozen=True)
class Cost:
    """What a network costs: its ``params``, and its ``macs`` at batch 1.

    ``macs`` counts convolutions, linear layers and matrix products, BN not: the convention of the
    paper's "FLOPs" columns.
    """

    params: int
    macs: int


# What ``count_cost`` finds for the networks of the paper (the tests count them again), by the
# spec's name: ``ghostdeploy models`` tells them without torch.
COUNTED = {
    "ghostnetv1_1.0_224": Cost(5_182_508, 141_150_512),
    "ghostnetv1_1.1_224": Cost(5_855_650, 166_986_864),
    "ghostnetv1_1.3_224": Cost(7_358_820, 227_003_256),
    "ghostnetv1_1.4_224": Cost(8_186_422, 262_787_592),
    "ghostnetv1_1.7_224": Cost(11_000_120, 378_009_272),
    "ghostnetv1_sa_1.0_224": Cost(5_351_324, 173_174_064),
    "ghostnetv2_1.0_224": Cost(6_156_908, 167_048_288),
    "ghostnetv2_1.3_224": Cost(8_960_404, 269_322_976),
    "ghostnetv2_1.6_224": Cost(12_392_698, 398_607_224),
    "ghostnetv2_1.0_224_paper": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.3_224_paper": Cost(8_978_052, 271_820_016),
    "ghostnetv2_1.6_224_paper": Cost(12_414_490, 401_716_568),
}


def count_cost(spec: ModelSpec, *, features: bool = False) -> Cost:
    """Count the cost of ``spec``, or with ``features`` of what computes its feature maps.

    Nothing is computed: torch's FLOP counter runs on the meta device. Raises MissingExtraError
    without torch.
    """
    network = build(spec)
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = network.to("meta")
    image = torch.empty(1, 3, *spec.resolution, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        if features:
            network.features(image)
        else:
            network(image)
    behind = [network.get_submodule(name) for name in network.head_modules] if features else []
    params = sum(p.numel() for p in network.parameters())
    params -= sum(p.numel() for module in behind for p in module.parameters())
    return Cost(params, counter.get_total_flops() // 2)
