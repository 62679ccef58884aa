"""FBNet-B (CVPR 2019), by the authors' table (mobile-vision's fbnet_b).

As there, the blocks' convolutions have a bias, one of expansion 1 has no 1×1 before its depthwise
convolution, and the paper's "skip" is no block. Their checkpoint has names of its own, which are
not read here.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design, MobileNet

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats
    (
        (Blocks(1, 3, 1, 16),),
        (Blocks(6, 3, 2, 24), Blocks(1, 5, 1, 24), Blocks(1, 3, 1, 24, 2)),
        (Blocks(6, 5, 2, 32), Blocks(3, 5, 1, 32), Blocks(6, 3, 1, 32), Blocks(6, 5, 1, 32)),
        (Blocks(6, 5, 2, 64), Blocks(6, 5, 1, 64), Blocks(3, 5, 1, 64)),
        (Blocks(6, 5, 1, 112), Blocks(1, 3, 1, 112), Blocks(1, 5, 1, 112), Blocks(3, 5, 1, 112)),
        (Blocks(6, 5, 2, 184), Blocks(1, 5, 1, 184), Blocks(6, 5, 1, 184, 2)),
        (Blocks(6, 3, 1, 352),),
    ),
    stem=16,
    head=1984,
    act=nn.ReLU,
    bias=True,
)


def build(spec: ModelSpec) -> MobileNet:
    """Make FBNet-B of ``spec``, with torch's default weights."""
    return MobileNet(spec, DESIGN)
