"""ShuffleNet V2 (ECCV 2018): half the channels go on as they are, and a shuffle mixes the halves.

A checkpoint has torchvision's layout (shufflenet_v2_x1_0, …), whose outputs this network's are
equal to.
"""

from __future__ import annotations

from torch import Tensor, cat, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import conv_bn, make_divisible
from ghostdeploy.zoo.shuffle import REPEATS, ChannelShuffle, ShuffleNet

STEM = 24
# Channels of stages 2 to 4 and of the last 1×1 by width (ShuffleNet V2, Table 5). Other widths
# have the 1.0× row's stages times the width, in multiples of 4.
STAGES = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


def channels_of(width: float) -> tuple[int, ...]:
    """Return the channels of stages 2 to 4 and of the last 1×1 convolution at ``width``."""
    *stages, last = STAGES[1.0]
    return STAGES.get(width) or (*(make_divisible(c * width) for c in stages), last)


class ShuffleUnitV2(nn.Module):
    """1×1 → depthwise 3×3 → 1×1 on half the channels; with stride 2 on all, beside a branch."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.stride, self.kept = stride, half
        self.branch1 = nn.Sequential()
        if stride == 2:
            self.branch1 = nn.Sequential(
                *conv_bn(in_channels, in_channels, 3, stride=2, depthwise=True),
                *conv_bn(in_channels, half), nn.ReLU(),
            )  # fmt: skip
        self.branch2 = nn.Sequential(
            *conv_bn(in_channels if stride == 2 else half, half), nn.ReLU(),
            *conv_bn(half, half, 3, stride=stride, depthwise=True),
            *conv_bn(half, half), nn.ReLU(),
        )  # fmt: skip
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        if self.stride == 1:
            kept, changed = x[:, : self.kept], x[:, self.kept :]
        else:
            kept, changed = self.branch1(x), x
        y: Tensor = self.shuffle(cat([kept, self.branch2(changed)], dim=1))
        return y


class ShuffleNetV2(ShuffleNet):
    """ShuffleNet V2: logits (N, num_classes) of images (N, 3, H, W)."""

    head_modules = ("conv5", "fc")

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        *stages, last = channels_of(spec.width)
        channels = STEM
        self.conv1 = nn.Sequential(*conv_bn(3, channels, 3, stride=2), nn.ReLU())
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for number, (out, repeats) in enumerate(zip(stages, REPEATS, strict=True)):
            stage = nn.Sequential()
            for n in range(repeats):
                stage.append(ShuffleUnitV2(channels, out, 2 if n == 0 else 1))
                channels = out
            self.add_module(f"stage{number + 2}", stage)
        self.set_taps()
        self.conv5 = nn.Sequential(*conv_bn(channels, last), nn.ReLU())
        self.fc = nn.Linear(last, spec.num_classes)

    @property
    def classifier(self) -> nn.Linear:  # type: ignore[override]
        """The linear layer, which the checkpoint calls fc."""
        return self.fc

    def last(self, x: Tensor) -> Tensor:
        """Apply the last 1×1 convolution to the units' last map."""
        y: Tensor = self.conv5(x)
        return y


def build(spec: ModelSpec) -> ShuffleNetV2:
    """Make ShuffleNet V2 of ``spec``, with torch's default weights."""
    return ShuffleNetV2(spec)
