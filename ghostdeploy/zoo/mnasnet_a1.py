"""MnasNet-A1 (CVPR 2019), the one with squeeze-and-excitation.

A checkpoint has timm's layout (semnasnet_100), whose outputs this network's are equal to.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design, MobileNet

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats, SE ratio (MnasNet, Figure 7)
    (
        (Blocks(1, 3, 1, 16),),
        (Blocks(6, 3, 2, 24, 2),),
        (Blocks(3, 5, 2, 40, 3, 0.25),),
        (Blocks(6, 3, 2, 80, 4),),
        (Blocks(6, 3, 1, 112, 2, 0.25),),
        (Blocks(6, 5, 2, 160, 3, 0.25),),
        (Blocks(6, 3, 1, 320),),
    ),
    act=nn.ReLU,
)


def build(spec: ModelSpec) -> MobileNet:
    """Make MnasNet-A1 of ``spec``, with torch's default weights."""
    return MobileNet(spec, DESIGN)
