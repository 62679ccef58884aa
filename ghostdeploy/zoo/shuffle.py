"""What ShuffleNet V1 and V2 share: the channel shuffle, and how their stages are numbered."""

from __future__ import annotations

from torch import Tensor, nn

from ghostdeploy.zoo.network import ConvNet

REPEATS = (4, 8, 4)  # units in stages 2, 3 and 4, of which the first of each has stride 2


class ChannelShuffle(nn.Module):
    """Deals the channels of ``groups`` groups out in turns: a1 a2 b1 b2 → a1 b1 a2 b2."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Shuffle: (N, C, H, W) → (N, C, H, W)."""
        n, c, h, w = x.shape
        return x.reshape(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class ShuffleNet(ConvNet):
    """A ShuffleNet: block 0 is the max pooling behind the stem, the units follow.

    A subclass makes ``conv1``, ``maxpool`` and the stages, and calls ``set_taps``.
    """

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
