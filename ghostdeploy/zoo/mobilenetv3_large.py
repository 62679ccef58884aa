"""MobileNetV3-Large (ICCV 2019), by timm's definition.

Its widths other than 1.0 are timm's: of them the paper's parameters and FLOPs are true, and not of
torchvision's. A checkpoint has timm's layout (mobilenetv3_large_075, mobilenetv3_large_100), whose
outputs this network's are equal to but for rounding (the hard sigmoid is written in another form);
torchvision's has another ε in BN.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import DIVISOR, Blocks, Design, Extras, MobileNet
from ghostdeploy.zoo.layers import ConvBnAct, HardSwish, SqueezeExcite, make_divisible

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats, SE ratio, activation (MobileNetV3, Table 1)
    (
        (Blocks(1, 3, 1, 16, act=nn.ReLU),),
        (Blocks(4, 3, 2, 24, act=nn.ReLU), Blocks(3, 3, 1, 24, act=nn.ReLU)),
        (Blocks(3, 5, 2, 40, 3, 0.25, act=nn.ReLU),),
        (Blocks(6, 3, 2, 80), Blocks(2.5, 3, 1, 80), Blocks(2.3, 3, 1, 80, 2)),
        (Blocks(6, 3, 1, 112, 2, 0.25),),
        (Blocks(6, 5, 2, 160, 3, 0.25),),
    ),
    stem=16,
    act=nn.Hardswish,
)
LAST = 960


class MobileNetV3(MobileNet):
    """MobileNetV3: SE of a quarter of the hidden channels, and a head on the pooled pixel."""

    pooled_conv = "conv_head"
    head_modules = (f"blocks.{len(DESIGN.stages)}", "conv_head", "act2", "classifier")

    def extras(self, row: Blocks, channels: int, hidden: int, stride: int) -> Extras:
        """Return the SE of a block, its width a share of ``hidden`` in multiples of 8."""
        reduced = make_divisible(hidden * row.se, DIVISOR)
        return Extras(se=SqueezeExcite(hidden, reduced) if row.se else None)

    def make_head(self, channels: int) -> None:
        """Make the last 1×1 convolution with BN, and behind the pooling one without."""
        last, act = self.widen(LAST), self.design.act
        self.blocks.append(nn.Sequential(ConvBnAct(channels, last, act=act)))
        self.conv_head = nn.Conv2d(last, self.design.head, 1)
        self.act2 = HardSwish()
        self.classifier = nn.Linear(self.design.head, self.spec.num_classes)

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the blocks in order, without the last 1×1 convolution."""
        return super().numbered_blocks()[:-1]

    def last(self, x: Tensor) -> Tensor:
        """Apply the last 1×1 convolution to the blocks' last map."""
        return cast(Tensor, self.blocks[-1](x))

    def neck(self, pooled: Tensor) -> Tensor:
        """Apply conv_head to the pooled map."""
        return cast(Tensor, self.act2(self.conv_head(pooled)))


def build(spec: ModelSpec) -> MobileNetV3:
    """Make MobileNetV3-Large of ``spec``, with torch's default weights."""
    return MobileNetV3(spec, DESIGN)
