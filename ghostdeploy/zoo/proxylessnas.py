"""ProxylessNAS for mobile CPUs (ICLR 2019).

The authors' checkpoint has names of its own, which are not read here.
"""

from __future__ import annotations

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design, MobileNet

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats (the authors' proxyless_mobile)
    (
        (Blocks(1, 3, 1, 16),),
        (Blocks(3, 5, 2, 32), Blocks(3, 3, 1, 32)),
        (Blocks(3, 7, 2, 40), Blocks(3, 3, 1, 40), Blocks(3, 5, 1, 40, 2)),
        (Blocks(6, 7, 2, 80), Blocks(3, 5, 1, 80, 3)),
        (Blocks(6, 5, 1, 96), Blocks(3, 5, 1, 96, 3)),
        (Blocks(6, 7, 2, 192), Blocks(6, 7, 1, 192), Blocks(3, 7, 1, 192, 2)),
        (Blocks(6, 7, 1, 320),),
    ),
    scales_head=True,
)


def build(spec: ModelSpec) -> MobileNet:
    """Make ProxylessNAS of ``spec``, with torch's default weights."""
    return MobileNet(spec, DESIGN)
