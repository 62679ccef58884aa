"""GhostNet (V1, CVPR 2020): the baseline, and the trunk of its relatives."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import (
    ConvBnAct,
    GhostBottleneck,
    GhostModule,
    check_dfc_size,
    make_divisible,
)
from ghostdeploy.zoo.network import ConvNet
from ghostdeploy.zoo.options import DfcOptions

# kernel, hidden, out, SE ratio, stride (GhostNet, Table 1), grouped as the checkpoints' stages are
STAGES: tuple[tuple[tuple[int, int, int, float, int], ...], ...] = (
    ((3, 16, 16, 0.0, 1),),
    ((3, 48, 24, 0.0, 2),),
    ((3, 72, 24, 0.0, 1),),
    ((5, 72, 40, 0.25, 2),),
    ((5, 120, 40, 0.25, 1),),
    ((3, 240, 80, 0.0, 2),),
    (
        (3, 200, 80, 0.0, 1),
        (3, 184, 80, 0.0, 1),
        (3, 184, 80, 0.0, 1),
        (3, 480, 112, 0.25, 1),
        (3, 672, 112, 0.25, 1),
    ),
    ((5, 672, 160, 0.25, 2),),
    (
        (5, 960, 160, 0.0, 1),
        (5, 960, 160, 0.25, 1),
        (5, 960, 160, 0.0, 1),
        (5, 960, 160, 0.25, 1),
    ),
)
STEM, LAST, HEAD = 16, 960, 1280


class GhostNet(ConvNet):
    """Logits (N, num_classes) of an image batch (N, 3, H, W), both sides at least 33.

    ``dfc`` gates Ghost modules with DFC attention; None is GhostNet V1.
    """

    pooled_conv = "conv_head"
    head_modules = (f"blocks.{len(STAGES)}", "conv_head", "classifier")

    def __init__(self, spec: ModelSpec, dfc: DfcOptions | None = None) -> None:
        super().__init__()
        width = spec.width
        channels = make_divisible(STEM * width)
        self.conv_stem = nn.Conv2d(3, channels, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()

        stages: list[nn.Module] = []
        stride, number = 2, 0
        for rows in STAGES:
            blocks: list[nn.Module] = []
            for row in rows:
                out = make_divisible(row[2] * width)
                blocks.append(_bottleneck(channels, row, spec, dfc, number, stride))
                channels, stride = out, stride * row[4]
                self.taps[stride] = number
                number += 1
            stages.append(nn.Sequential(*blocks))
        last = make_divisible(LAST * width)
        stages.append(nn.Sequential(ConvBnAct(channels, last)))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(last, HEAD, 1)
        self.act2 = nn.ReLU()
        self.classifier = nn.Linear(HEAD, spec.num_classes)

    def stem(self, x: Tensor) -> Tensor:
        """Apply the stem: (N, 3, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉)."""
        return cast(Tensor, self.act1(self.bn1(self.conv_stem(x))))

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the sixteen bottlenecks in order, without the last 1×1 convolution."""
        stages = list(self.blocks)[:-1]
        return [block for stage in stages for block in cast(nn.Sequential, stage)]

    def last(self, x: Tensor) -> Tensor:
        """Apply the last 1×1 convolution to the trunk's last map."""
        return cast(Tensor, self.blocks[-1](x))

    def neck(self, pooled: Tensor) -> Tensor:
        """Apply conv_head to the pooled map."""
        return cast(Tensor, self.act2(self.conv_head(pooled)))


def _bottleneck(
    in_channels: int,
    row: tuple[int, int, int, float, int],
    spec: ModelSpec,
    dfc: DfcOptions | None,
    number: int,
    input_stride: int,
) -> GhostBottleneck:
    kernel, hidden, out, se_ratio, stride = row
    hidden, out = make_divisible(hidden * spec.width), make_divisible(out * spec.width)

    def ghost(module: str, c_in: int, c_out: int, at_stride: int) -> GhostModule:
        gated = dfc if dfc is not None and dfc.gates(number, module) else None
        if gated:
            check_dfc_size(spec, gated, at_stride)
        size = gated.kernel_at(at_stride) if gated else 0
        return GhostModule(c_in, c_out, relu=module == "first", dfc=gated, dfc_kernel=size)

    return GhostBottleneck(
        in_channels,
        hidden,
        out,
        kernel=kernel,
        stride=stride,
        se_ratio=se_ratio,
        first=ghost("first", in_channels, hidden, input_stride),
        second=ghost("second", hidden, out, input_stride * stride),
    )


def build(spec: ModelSpec) -> GhostNet:
    """Make GhostNet V1 of ``spec``, with torch's default weights."""
    return GhostNet(spec)
