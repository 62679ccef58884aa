"""MobileNetV2 (CVPR 2018), also with the attention modules of the paper's Table 4.

A checkpoint has timm's layout (mobilenetv2_100) or torchvision's (mobilenet_v2): the same network,
whose outputs this one's are equal to.
"""

from __future__ import annotations

import re

from torch import nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo import MOBILENETV2_PATHS
from ghostdeploy.zoo.attention import MEANS, BlockDfc, ConvBlockAttention, CoordinateAttention
from ghostdeploy.zoo.inverted_residual import Blocks, Design, Extras, MobileNet
from ghostdeploy.zoo.layers import SqueezeExcite, quieten
from ghostdeploy.zoo.options import BlockDfcOptions, HiddenAttentionOptions

DESIGN = Design(
    # expansion, kernel, stride, channels, repeats (MobileNetV2, Table 2)
    (
        (Blocks(1, 3, 1, 16),),
        (Blocks(6, 3, 2, 24, 2),),
        (Blocks(6, 3, 2, 32, 3),),
        (Blocks(6, 3, 2, 64, 4),),
        (Blocks(6, 3, 1, 96, 3),),
        (Blocks(6, 3, 2, 160, 3),),
        (Blocks(6, 3, 1, 320),),
    ),
    scales_head=True,
)

# torchvision's ``features.{i}.`` that are no block, and a block's parts: of the first, of others.
ENDS = {"0.0": "conv_stem", "0.1": "bn1", "18.0": "conv_head", "18.1": "bn2"}
FIRST_PARTS = {"0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"}
PARTS = {
    "0.0": "conv_pw",
    "0.1": "bn1",
    "1.0": "conv_dw",
    "1.1": "bn2",
    "2": "conv_pwl",
    "3": "bn3",
}


class MobileNetV2(MobileNet):
    """MobileNetV2; ``spec.options`` say what attends to the hidden channels of its blocks."""

    def extras(self, row: Blocks, channels: int, hidden: int, stride: int) -> Extras:
        """Return the attention of a block whose input is at ``stride`` of the image."""
        options = self.spec.options
        if isinstance(options, BlockDfcOptions):
            return Extras(dfc=BlockDfc(channels, hidden, self.spec, options, stride))
        if isinstance(options, HiddenAttentionOptions):
            return Extras(se=_attention(options, hidden, expands=row.expansion != 1))
        return Extras()

    def own_name(self, name: str) -> str:
        """Return this network's name for torchvision's ``name``; others stay."""
        if name.startswith("classifier.1."):
            return name.replace(".1", "", 1)
        if found := re.fullmatch(r"features\.(\d+)\.conv\.([\d.]+)\.(\w+)", name):
            number, part, tensor = found.groups()
            parts = FIRST_PARTS if number == "1" else PARTS
            if part in parts and 1 <= int(number) <= len(MOBILENETV2_PATHS):
                return f"{MOBILENETV2_PATHS[int(number) - 1]}.{parts[part]}.{tensor}"
        found = re.fullmatch(r"features\.(\d+\.\d)\.(\w+)", name)
        return f"{ENDS[found[1]]}.{found[2]}" if found and found[1] in ENDS else name


def _attention(options: HiddenAttentionOptions, hidden: int, *, expands: bool) -> nn.Module | None:
    """Return the attention to ``hidden`` channels; coordinate attention only where they expand."""
    reduced = max(1, hidden // options.reduction)
    if options.kind == "se":
        se = SqueezeExcite(hidden, reduced, gate=nn.Sigmoid)
        quieten(se.conv_expand, MEANS)
        return se
    if options.kind == "cbam":
        return ConvBlockAttention(hidden, reduced)
    return CoordinateAttention(hidden, max(8, reduced)) if expands else None


def build(spec: ModelSpec) -> MobileNetV2:
    """Make MobileNetV2 of ``spec``, with torch's default weights."""
    return MobileNetV2(spec, DESIGN)
