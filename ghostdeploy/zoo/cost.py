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


# What ``count_cost`` finds for the networks of the paper's tables (the tests count them again), by
# the spec's name: ``ghostdeploy models`` tells them without torch.
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
    "mobilenetv1_0.5_224": Cost(1_331_592, 149_497_088),
    "mobilenetv1_1.0_224": Cost(4_231_976, 568_740_352),
    "mobilenetv2_0.6_224": Cost(2_217_000, 150_958_928),
    "mobilenetv2_1.0_224": Cost(3_504_872, 300_774_272),
    "mobilenetv2_1.1_224": Cost(4_074_280, 337_948_624),
    "mobilenetv2_1.1_224_se": Cost(4_534_203, 338_400_464),
    "mobilenetv2_1.1_224_cbam": Cost(4_535_903, 341_080_432),
    "mobilenetv2_1.1_224_ca": Cost(4_601_272, 344_782_864),
    "mobilenetv2_1.0_224_dfc": Cost(4_371_944, 344_186_240),
    "mobilenetv3_large_0.75_224": Cost(3_993_528, 154_560_624),
    "mobilenetv3_large_1.0_224": Cost(5_483_032, 216_589_760),
    "mobilenetv3_large_1.25_224": Cost(7_551_976, 355_221_920),
    "shufflenetv1_1.0_224": Cost(1_865_728, 137_460_672),
    "shufflenetv2_1.0_224": Cost(2_278_604, 144_907_992),
    "shufflenetv2_1.5_224": Cost(3_503_624, 295_759_392),
    "proxylessnas_1.0_224": Cost(4_080_512, 320_427_584),
    "fbnet_b_1.0_224": Cost(4_816_216, 291_004_424),
    "fbnet_c_1.0_224": Cost(5_572_200, 384_960_160),
    "mnasnet_a1_1.0_224": Cost(3_887_038, 311_579_072),
    "efficientnet_b0_1.0_224": Cost(5_288_548, 385_814_752),
    "mobilenext_1.0_224": Cost(3_535_416, 311_342_592),
    "mobilenext_plus_1.0_224": Cost(3_934_451, 330_182_144),
    "autonl_s_1.0_224": Cost(4_389_350, 266_242_176),
    "autonl_l_1.0_224": Cost(5_580_336, 352_108_448),
    "ghostnetv2_1.0_224_kernel-3.3.3": Cost(6_129_964, 165_707_392),
    "ghostnetv2_1.0_224_kernel-7.5.5": Cost(6_158_924, 167_782_112),
    "ghostnetv2_1.0_224_kernel-7.7.5": Cost(6_168_492, 168_250_944),
    "ghostnetv2_1.0_224_kernel-9.7.5": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_kernel-11.9.7": Cost(6_197_452, 170_325_664),
    "ghostnetv2_1.0_224_dfc_blocks-2.3.4.5.6.7": Cost(5_245_292, 150_210_416),
    "ghostnetv2_1.0_224_dfc_blocks-8.9.10.11": Cost(5_418_284, 152_113_184),
    "ghostnetv2_1.0_224_dfc_blocks-12.13.14.15": Cost(5_858_348, 147_025_712),
    "ghostnetv2_1.0_224_where-second": Cost(6_132_204, 161_772_208),
    "ghostnetv2_1.0_224_where-both": Cost(7_106_604, 187_669_984),
    "ghostnetv2_1.0_224_paper+scale-hard_sigmoid": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+scale-clip": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+scale_where-after": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+scale-hard_sigmoid+scale_where-after": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+scale-clip+scale_where-after": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+down-average": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+down-bilinear": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.0_224_paper+up-bicubic": Cost(6_170_508, 168_984_768),
    "ghostnetv2_1.08_224_ratio-0.3": Cost(6_833_334, 169_765_658),
    "ghostnetv2_0.92_224_ratio-0.7": Cost(5_525_326, 163_544_030),
    "ghostnetv2_0.81_224_ratio-1.0": Cost(4_687_630, 172_054_412),
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
