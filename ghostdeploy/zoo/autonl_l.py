"""AutoNL-L (CVPR 2020): the paper's Table A3.

The authors' TensorFlow checkpoint is not read here.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.inverted_residual import Blocks, Design
from ghostdeploy.zoo.light_nl import AutoNL

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats, SE ratio, LightNL's share and stride
    (
        (Blocks(1, 3, 1, 16),),
        (
            Blocks(3, 5, 2, 24, nl=(0.25, 1)),
            Blocks(3, 5, 1, 24),
            Blocks(3, 3, 1, 24, nl=(0.25, 2)),
        ),
        (Blocks(6, 5, 2, 40, nl=(0.25, 1)), Blocks(3, 3, 1, 40, 3, nl=(0.25, 2))),
        (
            Blocks(6, 5, 2, 80, nl=(0.25, 1)),
            Blocks(3, 3, 1, 80, 2, 0.5),
            Blocks(3, 3, 1, 80, 1, 0.5, (0.125, 2)),
        ),
        (
            Blocks(6, 5, 1, 96, 1, 0.5, (0.25, 1)),
            Blocks(3, 5, 1, 96, 2, 0.5),
            Blocks(3, 3, 1, 96, 1, 0.5, (0.25, 2)),
        ),
        (
            Blocks(6, 5, 2, 192, 1, 0.5, (0.25, 1)),
            Blocks(6, 5, 1, 192, 2, 0.5, (0.125, 1)),
            Blocks(6, 5, 1, 192, 1, 0.5),
        ),
        (Blocks(6, 5, 1, 320, 1, 0.5, (0.25, 1)),),
    ),
    act=nn.SiLU,
    eps=1e-3,
)


def build(spec: ModelSpec) -> AutoNL:
    """Make AutoNL-L of ``spec``, with torch's default weights."""
    return AutoNL(spec, DESIGN)
