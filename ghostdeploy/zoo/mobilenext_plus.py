"""MobileNeXt+ (ECCV 2020): MobileNeXt with kernels, swish and SE as EfficientNet's.

This is the large table of the authors' efficient_mnext, with each waist as narrow as the reduction
says and SE of a quarter of (output / reduction): the choice among their code's that has the paper's
3.94 M / 330 M. No checkpoint of theirs is public.
"""

from __future__ import annotations

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.sandglass import MobileNeXt, SandglassDesign, Sandglasses

DESIGN = SandglassDesign(
    # reduction, kernel, stride, channels, repeats, whole
    (
        Sandglasses(2, 3, 1, 96, 1, whole=True),
        Sandglasses(6, 3, 2, 144),
        Sandglasses(6, 5, 2, 192, 3),
        Sandglasses(6, 3, 2, 288, 3),
        Sandglasses(6, 5, 1, 384, 4),
        Sandglasses(6, 5, 2, 576, 4),
        Sandglasses(6, 3, 1, 960, 3),
        Sandglasses(6, 3, 1, 1280),
    ),
    act=nn.SiLU,
    eps=1e-3,
    se=0.25,
)


def build(spec: ModelSpec) -> MobileNeXt:
    """Make MobileNeXt+ of ``spec``, with torch's default weights."""
    return MobileNeXt(spec, DESIGN)
