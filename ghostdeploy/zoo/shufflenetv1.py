"""ShuffleNet V1 (CVPR 2018) with three groups: grouped 1×1 convolutions and a channel shuffle.

No checkpoint of the authors' is public.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, cat, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import conv_bn, make_divisible
from ghostdeploy.zoo.shuffle import REPEATS, ChannelShuffle, ShuffleNet

GROUPS = 3
STEM, STAGES = 24, (240, 480, 960)  # channels (ShuffleNet, Table 1, g = 3)
NARROWING = 4  # a unit's middle has a quarter of its output's channels


def grouped(in_channels: int, out_channels: int, groups: int) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Return a 1×1 convolution of ``groups`` groups and its BN."""
    conv = nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(out_channels)


class ShuffleUnit(nn.Module):
    """Grouped 1×1 → shuffle → depthwise 3×3 → grouped 1×1, plus the input.

    With stride 2 the average-pooled input is not added but laid before the result's channels.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, groups: int) -> None:
        super().__init__()
        middle = out_channels // NARROWING
        made = out_channels - in_channels if stride == 2 else out_channels
        self.stride = stride
        self.conv1, self.bn1 = grouped(in_channels, middle, groups)
        self.act1 = nn.ReLU()
        self.shuffle = ChannelShuffle(GROUPS)
        self.conv2, self.bn2 = conv_bn(middle, middle, 3, stride=stride, depthwise=True)
        self.conv3, self.bn3 = grouped(middle, made, GROUPS)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y = self.shuffle(self.act1(self.bn1(self.conv1(x))))
        y = self.bn3(self.conv3(self.bn2(self.conv2(y))))
        if self.stride == 1:
            return cast(Tensor, self.act(y + x))
        return cast(Tensor, self.act(cat([F.avg_pool2d(x, 3, 2, padding=1), y], dim=1)))


class ShuffleNetV1(ShuffleNet):
    """ShuffleNet V1: logits (N, num_classes) of images (N, 3, H, W)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        even = GROUPS * NARROWING  # a quarter divides by the groups
        channels = make_divisible(STEM * spec.width, even)
        self.conv1 = nn.Sequential(*conv_bn(3, channels, 3, stride=2), nn.ReLU())
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for number, (wide, repeats) in enumerate(zip(STAGES, REPEATS, strict=True)):
            out = make_divisible(wide * spec.width, even)
            stage = nn.Sequential()
            for n in range(repeats):
                groups = 1 if number == n == 0 else GROUPS  # the stem's channels are few
                stage.append(ShuffleUnit(channels, out, 2 if n == 0 else 1, groups))
                channels = out
            self.add_module(f"stage{number + 2}", stage)
        self.set_taps()
        self.classifier = nn.Linear(channels, spec.num_classes)


def build(spec: ModelSpec) -> ShuffleNetV1:
    """Make ShuffleNet V1 of ``spec``, with torch's default weights."""
    return ShuffleNetV1(spec)
