"""MobileNetV1 (2017): depthwise 3×3 and 1×1 convolutions in turns, nothing else.

A checkpoint has timm's layout (mobilenetv1_100), whose outputs this network's are equal to.
"""

from __future__ import annotations

from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import (
    Blocks,
    DepthwiseSeparable,
    Design,
    Extras,
    MobileNet,
)

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats (MobileNetV1, Table 1)
    (
        (Blocks(1, 3, 1, 64),),
        (Blocks(1, 3, 2, 128, 2),),
        (Blocks(1, 3, 2, 256, 2),),
        (Blocks(1, 3, 2, 512, 6),),
        (Blocks(1, 3, 2, 1024, 2),),
    )
)


class MobileNetV1(MobileNet):
    """No block adds its input, each ends with an activation, and no 1×1 follows them."""

    head_modules = ("classifier",)

    def block(self, row: Blocks, channels: int, stride: int) -> nn.Module:
        """Make one block for an input of ``channels`` channels."""
        return DepthwiseSeparable(
            channels,
            self.widen(row.channels),
            kernel=row.kernel,
            stride=row.stride,
            design=self.design,
            extras=Extras(),
            last_act=self.design.act,
        )

    def make_head(self, channels: int) -> None:
        """Make the classifier."""
        self.classifier = nn.Linear(channels, self.spec.num_classes)

    def last(self, x: Tensor) -> Tensor:
        """Return the blocks' last map (N, C, H, W) as it is."""
        return x


def build(spec: ModelSpec) -> MobileNetV1:
    """Make MobileNetV1 of ``spec``, with torch's default weights."""
    return MobileNetV1(spec, DESIGN)
