"""MobileNeXt's networks (ECCV 2020): sandglass blocks, narrow inside and wide outside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import DIVISOR, Act
from ghostdeploy.zoo.layers import SqueezeExcite, conv_bn, make_divisible
from ghostdeploy.zoo.network import ConvNet


class Sandglasses(NamedTuple):
    """A line of a network's table: ``repeats`` blocks, of which the first has ``stride``.

    ``reduction``: the block's input has so many times the channels of the waist.
    ``whole``: the first block has both depthwise convolutions though its input is not added.
    """

    reduction: int
    kernel: int
    stride: int
    channels: int
    repeats: int = 1
    whole: bool = False


@dataclass(frozen=True)
class SandglassDesign:
    """What a network of sandglass blocks is.

    ``widest``: a waist has at least a sixth of the block's output, in multiples of 16.
    ``se``: squeeze-and-excitation's share of the output's channels over ``reduction``, 0 for none.
    """

    rows: tuple[Sandglasses, ...]
    act: Act = nn.ReLU6
    eps: float = 1e-5
    widest: bool = False
    se: float = 0.0


class Sandglass(nn.Module):
    """Depthwise → 1×1 to the waist → 1×1 → depthwise with the stride, plus the input.

    Where the channels change, the input is not added and the first depthwise convolution is left
    out, and without a stride the last one too, unless the row says ``whole``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, row: Sandglasses, design: SandglassDesign
    ) -> None:
        super().__init__()
        eps, act = design.eps, design.act
        self.adds = in_channels == out_channels and row.stride == 1
        whole = self.adds or row.whole
        waist = in_channels // row.reduction
        if design.widest and waist < out_channels / 6:
            waist = make_divisible(math.ceil(out_channels / 6), 16)
        layers: list[nn.Module] = []
        if whole:
            layers += conv_bn(in_channels, in_channels, row.kernel, depthwise=True, eps=eps)
            layers.append(act())
        layers += conv_bn(in_channels, waist, eps=eps)
        layers += conv_bn(waist, out_channels, eps=eps)
        layers.append(act())
        if whole or row.stride > 1:
            layers += conv_bn(
                out_channels, out_channels, row.kernel,
                stride=row.stride, depthwise=True, eps=eps,
            )  # fmt: skip
        self.conv = nn.Sequential(*layers)
        reduced = int(out_channels / row.reduction * design.se)
        self.se = (
            SqueezeExcite(out_channels, max(1, reduced), act=act, gate=nn.Sigmoid)
            if design.se
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y = self.conv(x)
        if self.se is not None:
            y = self.se(y)
        return cast(Tensor, y + x if self.adds else y)


class MobileNeXt(ConvNet):
    """The network of a ``SandglassDesign``: logits (N, num_classes) of images (N, 3, H, W)."""

    STEM = 32

    def __init__(self, spec: ModelSpec, design: SandglassDesign) -> None:
        super().__init__()
        channels, stride, number = make_divisible(self.STEM * spec.width, DIVISOR), 2, 0
        self.conv_stem, self.bn1 = conv_bn(3, channels, 3, stride=2, eps=design.eps)
        self.act1 = design.act()
        self.blocks = nn.Sequential()
        for row in design.rows:
            out = make_divisible(row.channels * spec.width, DIVISOR)
            if row is design.rows[-1]:
                out = max(out, row.channels)  # the classifier's input is never narrower
            for n in range(row.repeats):
                step = row if n == 0 else row._replace(stride=1, whole=False)
                self.blocks.append(Sandglass(channels, out, step, design))
                channels, stride = out, stride * step.stride
                self.taps[stride] = number
                number += 1
        self.classifier = nn.Linear(channels, spec.num_classes)

    def stem(self, x: Tensor) -> Tensor:
        """Apply the stem: (N, 3, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉)."""
        return cast(Tensor, self.act1(self.bn1(self.conv_stem(x))))

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the blocks in order."""
        return list(self.blocks)
