"""GhostNet (V1, CVPR 2020): the baseline, and the trunk of its relatives."""

from __future__ import annotations

import math
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import (
    ConvBnAct,
    GhostBottleneck,
    GhostModule,
    make_divisible,
    shrink_side,
)
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
DROPOUT = 0.2


class GhostNet(nn.Module):
    """Logits (N, num_classes) of an image batch (N, 3, H, W), both sides at least 33.

    ``dfc`` gates Ghost modules with DFC attention; None is GhostNet V1.
    """

    def __init__(self, spec: ModelSpec, dfc: DfcOptions | None = None) -> None:
        super().__init__()
        width = spec.width
        channels = make_divisible(STEM * width)
        self.conv_stem = nn.Conv2d(3, channels, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()

        stages: list[nn.Module] = []
        self.taps: dict[int, int] = {}  # stride -> number of the last block at that stride
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

    def after_block(self, number: int, x: Tensor) -> Tensor:
        """Return what a relative makes of block ``number``'s output ``x``; GhostNet leaves it."""
        return x

    def trunk(self, x: Tensor) -> list[Tensor]:
        """Return the output of each of the sixteen blocks for images (N, 3, H, W)."""
        outputs = []
        x = self.stem(x)
        for number, block in enumerate(self.numbered_blocks()):
            x = self.after_block(number, block(x))
            outputs.append(x)
        return outputs

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the last feature map at strides 4, 8, 16 and 32, for detection and segmentation.

        They are (N, C, ⌈H/stride⌉, ⌈W/stride⌉).
        """
        outputs = self.trunk(x)
        return [outputs[block] for stride, block in self.taps.items() if stride >= 4]

    def forward(self, x: Tensor) -> Tensor:
        """Classify: (N, 3, H, W) → logits (N, num_classes)."""
        x = self.blocks[-1](self.trunk(x)[-1])
        x = self.act2(self.conv_head(x.mean((2, 3), keepdim=True)))
        x = F.dropout(x.flatten(1), DROPOUT, self.training)
        return cast(Tensor, self.classifier(x))


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
            _check_size(spec, gated, at_stride)
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


def _check_size(spec: ModelSpec, dfc: DfcOptions, stride: int) -> None:
    height, width = (math.ceil(side / stride) for side in spec.resolution)
    if shrink_side(min(height, width), dfc.ratio) < 1:
        raise UsageError(
            f"ratio {dfc.ratio} leaves nothing of the {height}x{width} map at stride {stride};"
            " take a larger ratio or resolution"
        )


def build(spec: ModelSpec) -> GhostNet:
    """Make GhostNet V1 of ``spec``, with torch's default weights."""
    return GhostNet(spec)
