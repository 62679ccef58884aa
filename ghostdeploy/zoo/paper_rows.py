"""The rows of the paper's tables that ``MODELS`` does not name: which network each is, or why none.

``MODELS`` names those of Tables 1, 2, 4 and A3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo import MODELS, make_spec
from ghostdeploy.zoo.models import PaperResult


@dataclass(frozen=True)
class Preset:
    """A network of the zoo, by what ``make_spec`` takes."""

    arch: str
    width: float = 1.0
    variant: str = "official"
    changes: Mapping[str, object] = field(default_factory=dict)

    @property
    def spec(self) -> ModelSpec:
        """The network at 224×224 with 1000 classes."""
        return make_spec(
            self.arch, width=self.width, variant=self.variant, changes=dict(self.changes)
        )


@dataclass(frozen=True)
class Elsewhere:
    """Why a row is not in the zoo, and the model that is it where another source has it."""

    why: str
    model: str = ""


def _v2(variant: str = "official", width: float = 1.0, **changes: object) -> Preset:
    return Preset("ghostnetv2", width, variant, changes)


# By table and the table's words for the row. Where the paper does not say which blocks a stage is,
# or how the width was adjusted, they are those whose cost is the printed one. Tables 9 and 10 vary
# the network as the text has it.
ABLATIONS: dict[tuple[str, str], Preset] = {
    ("6", "1.0x kernel sizes (3,3,3)"): _v2(kernel=(3, 3, 3)),
    ("6", "1.0x kernel sizes (7,5,5)"): _v2(kernel=(7, 5, 5)),
    ("6", "1.0x kernel sizes (7,7,5)"): _v2(kernel=(7, 7, 5)),
    ("6", "1.0x kernel sizes (9,7,5)"): _v2(kernel=(9, 7, 5)),
    ("6", "1.0x kernel sizes (11,9,7)"): _v2(kernel=(11, 9, 7)),
    ("7", "1.0x DFC stage None"): Preset("ghostnetv1"),
    ("7", "1.0x DFC stage 1"): _v2(dfc_blocks=(2, 3, 4, 5, 6, 7)),
    ("7", "1.0x DFC stage 2"): _v2(dfc_blocks=(8, 9, 10, 11)),
    ("7", "1.0x DFC stage 3"): _v2(dfc_blocks=(12, 13, 14, 15)),
    ("7", "1.0x DFC stage All"): _v2(),
    ("8", "1.0x Baseline"): Preset("ghostnetv1"),
    ("8", "1.0x Expressiveness"): _v2(),
    ("8", "1.0x Capacity"): _v2(where="second"),
    ("8", "1.0x Both"): _v2(where="both"),
    ("9", "1.0x Sigmoid (BF)"): _v2("paper"),
    ("9", "1.0x Hard sigmoid (BF)"): _v2("paper", scale="hard_sigmoid"),
    ("9", "1.0x Clip (BF)"): _v2("paper", scale="clip"),
    ("9", "1.0x Sigmoid (AF)"): _v2("paper", scale_where="after"),
    ("9", "1.0x Hard sigmoid (AF)"): _v2("paper", scale="hard_sigmoid", scale_where="after"),
    ("9", "1.0x Clip (AF)"): _v2("paper", scale="clip", scale_where="after"),
    ("10", "1.0x Average Pooling (D)"): _v2("paper", down="average"),
    ("10", "1.0x Max Pooling (D)"): _v2("paper"),
    ("10", "1.0x Bilinear (D)"): _v2("paper", down="bilinear"),
    ("10", "1.0x Bilinear (U)"): _v2("paper"),
    ("10", "1.0x Bicubic (U)"): _v2("paper", up="bicubic"),
    ("A2", "down-sampling ratio 0.3, width adjusted"): _v2(width=1.08, ratio=0.3),
    ("A2", "down-sampling ratio 0.5, width adjusted"): _v2(),
    ("A2", "down-sampling ratio 0.7, width adjusted"): _v2(width=0.92, ratio=0.7),
    ("A2", "down-sampling ratio 1.0, width adjusted"): _v2(width=0.81, ratio=1.0),
}

# Of Tables 3, 5 and A1: detectors and segmenters, of which the zoo has the backbone.
BACKBONES: dict[tuple[str, str], Preset] = {
    ("MobileNetV2", "1.0x"): Preset("mobilenetv2"),
    ("GhostNet V1", "1.1x"): Preset("ghostnetv1", 1.1),
    ("GhostNetV2", "1.0x"): _v2(),
}
BACKBONE_TABLES = ("3", "5", "A1")

ELSEWHERE: dict[tuple[str, str], Elsewhere] = {
    ("MobileViT-XS", ""): Elsewhere(
        "timm defines it; it needs the extra timm and takes 256×256 by itself, the paper's FLOPs"
        " are of 224×224",
        "timm:mobilevit_xs",
    ),
    ("MnasNet-A2", ""): Elsewhere(
        "not reproducible from public material: its blocks were not published, only A1's were"
    ),
    ("MnasNet-A3", ""): Elsewhere(
        "not reproducible from public material: its blocks were not published, only A1's were"
    ),
    ("FE-Net", "1.0x"): Elsewhere(
        "not reproducible from public material: neither code nor weights were published"
    ),
    ("MobileNeXt+", "1.1x"): Elsewhere(
        "not reproducible from public material: no table of the authors' has 4.28 M and 420 M;"
        " the one that meets the 1.0× row gives 4.57 M and 382 M at 1.1×"
    ),
}
IN_PROSE = Elsewhere("the paper says it in its text, not of a network of its tables")


def find_network(table: str, model: str, variant: str) -> tuple[Preset | Elsewhere, float | None]:
    """Return the network of a row, or why there is none, and its latency read off Figure 2.

    ``table``, ``model`` and ``variant`` are spelled as in the paper's tables.csv.
    """
    for arch, entry in MODELS.items():
        for width, results in entry.paper.items():
            for found in results:
                if (found.table, found.model, found.variant) == (table, model, variant):
                    return _preset(arch, width, found), found.figure_ms
    if (table, variant) in ABLATIONS:
        return ABLATIONS[table, variant], None
    if table in BACKBONE_TABLES and (model, variant) in BACKBONES:
        return BACKBONES[model, variant], None
    return ELSEWHERE.get((model, variant), IN_PROSE), None


def _preset(arch: str, width: float, result: PaperResult) -> Preset:
    return Preset(arch, width, result.preset or "official")
