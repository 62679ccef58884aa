"""MobileNeXt (ECCV 2020), by the authors' mnext.

No checkpoint of theirs is public.
"""

from __future__ import annotations

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.sandglass import MobileNeXt, SandglassDesign, Sandglasses

DESIGN = SandglassDesign(
    # reduction, kernel, stride, channels, repeats, whole (MobileNeXt, Table 3)
    (
        Sandglasses(2, 3, 2, 96, 1, whole=True),
        Sandglasses(6, 3, 1, 144, 1, whole=True),
        Sandglasses(6, 3, 2, 192, 3),
        Sandglasses(6, 3, 2, 288, 3),
        Sandglasses(6, 3, 1, 384, 4),
        Sandglasses(6, 3, 2, 576, 4),
        Sandglasses(6, 3, 1, 960, 3),
        Sandglasses(6, 3, 1, 1280, 1, whole=True),
    ),
    widest=True,
)


def build(spec: ModelSpec) -> MobileNeXt:
    """Make MobileNeXt of ``spec``, with torch's default weights."""
    return MobileNeXt(spec, DESIGN)
