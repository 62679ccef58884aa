"""FBNet-C (CVPR 2019), by timm's definition.

Unlike FBNet-B here, blocks of expansion 1 have their first 1×1 convolution, and none has a bias: of
this the paper's 5.5 M / 375 M are the nearest. A checkpoint has timm's layout (fbnetc_100), whose
outputs this network's are equal to.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design, MobileNet

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats
    (
        (Blocks(1, 3, 1, 16),),
        (Blocks(6, 3, 2, 24), Blocks(1, 3, 1, 24, 2)),
        (Blocks(6, 5, 2, 32), Blocks(3, 5, 1, 32), Blocks(6, 5, 1, 32), Blocks(6, 3, 1, 32)),
        (Blocks(6, 5, 2, 64), Blocks(3, 5, 1, 64), Blocks(6, 5, 1, 64, 2)),
        (Blocks(6, 5, 1, 112, 3), Blocks(3, 5, 1, 112)),
        (Blocks(6, 5, 2, 184, 4),),
        (Blocks(6, 3, 1, 352),),
    ),
    stem=16,
    head=1984,
    act=nn.ReLU,
    expands_all=True,
)


def build(spec: ModelSpec) -> MobileNet:
    """Make FBNet-C of ``spec``, with torch's default weights."""
    return MobileNet(spec, DESIGN)
