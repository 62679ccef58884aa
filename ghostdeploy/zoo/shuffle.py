"""What ShuffleNet V1 and V2 share: the channel shuffle, and how their stages are numbered."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ghostdeploy.zoo.network import ConvNet

REPEATS = (4, 8, 4)  # units in stages 2, 3 and 4, of which the first of each has stride 2


class ChannelShuffle(nn.Module):
    """Deals the channels of ``groups`` groups out in turns: a1 a2 b1 b2 → a1 b1 a2 b2.

    The papers reshape and transpose in five dimensions, which the converter takes for a change of
    layout; one gather along the channels is the same function.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Shuffle: (N, C, H, W) → (N, C, H, W)."""
        order = torch.arange(x.shape[1]).reshape(self.groups, -1).T.flatten()
        return x.index_select(1, order.to(x.device))


class ShuffleNet(ConvNet):
    """A ShuffleNet: block 0 is the max pooling behind the stem, the units follow.

    A subclass makes ``conv1``, ``maxpool`` and the stages, and calls ``set_taps``.
    """

    conv1: nn.Sequential
    maxpool: nn.Module
    stage2: nn.Sequential
    stage3: nn.Sequential
    stage4: nn.Sequential

    def set_taps(self) -> None:
        """Record the last block at each stride: the pooling, and each stage's last unit."""
        self.taps = {4: 0}
        for stage, repeats in enumerate(REPEATS):
            self.taps[8 << stage] = max(self.taps.values()) + repeats

    def stem(self, x: Tensor) -> Tensor:
        """Apply the first convolution: (N, 3, H, W) → (N, 24, ⌈H/2⌉, ⌈W/2⌉)."""
        y: Tensor = self.conv1(x)
        return y

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the pooling and the sixteen units in order."""
        return [self.maxpool, *self.stage2, *self.stage3, *self.stage4]
