"""EfficientNet-B0 (ICML 2019).

A checkpoint has timm's layout (efficientnet_b0, not the tf_ ones, which pad in another way), whose
outputs this network's are equal to.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design, MobileNet

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats, SE ratio (EfficientNet, Table 1)
    (
        (Blocks(1, 3, 1, 16, 1, 0.25),),
        (Blocks(6, 3, 2, 24, 2, 0.25),),
        (Blocks(6, 5, 2, 40, 2, 0.25),),
        (Blocks(6, 3, 2, 80, 3, 0.25),),
        (Blocks(6, 5, 1, 112, 3, 0.25),),
        (Blocks(6, 5, 2, 192, 4, 0.25),),
        (Blocks(6, 3, 1, 320, 1, 0.25),),
    ),
    scales_head=True,
    act=nn.SiLU,
)


def build(spec: ModelSpec) -> MobileNet:
    """Make EfficientNet-B0 of ``spec``, with torch's default weights."""
    return MobileNet(spec, DESIGN)
