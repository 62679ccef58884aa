"""Attention modules for the hidden channels of an inverted residual (the paper's Table 4).

Squeeze-and-excitation is in ``layers.py``.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, cat, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import DfcGated, check_dfc_size, conv_bn, quieten
from ghostdeploy.zoo.options import DfcForm

# How quiet what follows the mean of a whole map is: LiteRT's sum of 112×112 numbers in float32 came
# out 3.5e-5 off.
MEANS = 0.2


class BlockDfc(DfcGated):
    """DFC attention to a block's input, which multiplies its hidden channels (GhostNetV2, §5.1)."""

    def __init__(
        self, channels: int, hidden: int, spec: ModelSpec, dfc: DfcForm, stride: int
    ) -> None:
        super().__init__()
        check_dfc_size(spec, dfc, stride)
        self.add_branch(channels, hidden, dfc, dfc.kernel_at(stride))

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Gate ``hidden`` (N, C, H, W) by what the block's input ``x`` (N, in, H, W) says."""
        return hidden * self.attention(x)


class ConvBlockAttention(nn.Module):
    """CBAM (Woo et al., ECCV 2018): a gate a channel, then a gate a pixel.

    ``reduced`` is the width of the shared two-layer network; the pixels' gate is a 7×7 convolution
    of the largest and the mean channel.
    """

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, reduced, 1),
            nn.ReLU(),
            quieten(nn.Conv2d(reduced, channels, 1), MEANS / 2),  # it is applied twice
        )
        self.channel_gate = nn.Sigmoid()
        conv, _ = conv_bn(2, 1, 7)
        self.spatial = nn.Sequential(conv, quieten(nn.BatchNorm2d(1), 0.1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel, then each pixel: (N, C, H, W) → (N, C, H, W)."""
        largest, mean = x.amax((2, 3), keepdim=True), x.mean((2, 3), keepdim=True)
        x = x * self.channel_gate(self.mlp(mean) + self.mlp(largest))
        pixels = cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)
        return x * cast(Tensor, self.spatial(pixels))


class CoordinateAttention(nn.Module):
    """Coordinate attention (Hou et al., CVPR 2021): a gate for each row and one for each column.

    The original lays the rows' and the columns' means one behind the other for the 1×1 to
    ``reduced`` channels, and cuts them apart again: a transpose, a concatenation and a split around
    a convolution that sees one pixel at a time. Here it is applied to both, which is the same
    function (in training BN's statistics would not be) and needs none of them.
    """

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, reduced, 1)
        # Means over a whole side hardly differ: BN makes much of little.
        self.bn = quieten(nn.BatchNorm2d(reduced), 0.3)
        self.act = nn.Hardswish()
        self.conv_h, self.conv_w = (nn.Conv2d(reduced, channels, 1) for _ in range(2))
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Scale each row and each column of each channel: (N, C, H, W) → (N, C, H, W)."""
        rows = self.gate(self.conv_h(self.reduce(x.mean(3, keepdim=True))))
        columns = self.gate(self.conv_w(self.reduce(x.mean(2, keepdim=True))))
        return cast(Tensor, x * rows * columns)

    def reduce(self, means: Tensor) -> Tensor:
        """Reduce the rows' or columns' means: (N, C, h, w) → (N, reduced, h, w)."""
        return cast(Tensor, self.act(self.bn(self.conv_reduce(means))))
