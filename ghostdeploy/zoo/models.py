"""The table of the networks: a model is one file of this folder and one row here.

Light to import: no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ghostdeploy.zoo.options import (
    BlockDfcOptions,
    DfcOptions,
    HiddenAttentionOptions,
    Options,
    SelfAttentionOptions,
)


@dataclass(frozen=True)
class PaperResult:
    """What the paper says of one width: its row in ``ghostdeploy.paper``'s tables.

    ``figure_ms`` is the latency read off Figure 2 (±0.2 ms) where no table prints one.
    ``preset`` is the only variant of ours that the row is of, "" where it is of all.
    """

    table: str
    model: str
    variant: str
    figure_ms: float | None = None
    preset: str = ""


@dataclass(frozen=True)
class Architecture:
    """One row of the zoo.

    ``module`` is a dotted name, since the module itself would bring torch with it.
    ``variants`` maps a preset's name to its options, ``paper`` a width to the paper's rows, the
    most telling first. ``reshaping_modules`` need reshapes and transposes by definition.
    ``family`` is what lists put together.
    """

    title: str
    family: str
    module: str
    variants: Mapping[str, Options]
    paper: Mapping[float, tuple[PaperResult, ...]]
    reshaping_modules: tuple[str, ...] = ()

    def results(self, variant: str, width: float) -> tuple[PaperResult, ...]:
        """Return the paper's rows of a preset at ``width``, () where it has none."""
        return tuple(r for r in self.paper.get(width, ()) if r.preset in ("", variant))


def _only(
    arch: str,
    family: str,
    title: str,
    paper: Mapping[float, tuple[PaperResult, ...]],
    reshaping_modules: tuple[str, ...] = (),
) -> Architecture:
    """Return a row without options: its one variant is the published network."""
    module = f"ghostdeploy.zoo.{arch}"
    return Architecture(title, family, module, {"official": None}, paper, reshaping_modules)


SEARCH = "architecture search"
PAPER_VARIANT = DfcOptions(kernel=(9, 7, 5), down="max", up="bilinear")

MODELS: dict[str, Architecture] = {
    "ghostnetv1": Architecture(
        title="GhostNet",
        family="GhostNet",
        module="ghostdeploy.zoo.ghostnetv1",
        variants={"official": None},
        paper={
            1.0: (PaperResult("1", "GhostNet", "1.0x"), PaperResult("2", "GhostNetV1", "1.0x")),
            1.1: (PaperResult("2", "GhostNetV1", "1.1x", figure_ms=37.2),),
            1.3: (PaperResult("2", "GhostNetV1", "1.3x"),),
            1.4: (PaperResult("2", "GhostNetV1", "1.4x", figure_ms=56.5),),
            1.7: (PaperResult("2", "GhostNetV1", "1.7x", figure_ms=77.0),),
        },
    ),
    "ghostnetv1_sa": Architecture(
        title="GhostNet + self-attention",
        family="GhostNet",
        module="ghostdeploy.zoo.ghostnetv1_sa",
        variants={"official": SelfAttentionOptions()},
        paper={1.0: (PaperResult("1", "GhostNet", "+ Self Attention [23] (MobileViT)"),)},
        reshaping_modules=("attention",),
    ),
    "ghostnetv2": Architecture(
        title="GhostNetV2",
        family="GhostNet",
        module="ghostdeploy.zoo.ghostnetv2",
        variants={"official": DfcOptions(), "paper": PAPER_VARIANT},
        paper={
            1.0: (
                PaperResult("1", "GhostNet", "+ DFC Attention (Ours)"),
                PaperResult("2", "GhostNetV2", "1.0x"),
            ),
            1.3: (PaperResult("A3", "GhostNetV2", "1.3x"), PaperResult("2", "GhostNetV2", "1.3x")),
            1.6: (PaperResult("A3", "GhostNetV2", "1.6x"), PaperResult("2", "GhostNetV2", "1.6x")),
        },
    ),
    "mobilenetv1": _only(
        "mobilenetv1",
        "MobileNet",
        "MobileNetV1",
        {
            0.5: (PaperResult("2", "MobileNetV1", "0.5x"),),
            1.0: (PaperResult("2", "MobileNetV1", "1.0x"),),
        },
    ),
    "mobilenetv2": Architecture(
        title="MobileNetV2",
        family="MobileNet",
        module="ghostdeploy.zoo.mobilenetv2",
        variants={
            "official": None,
            "se": HiddenAttentionOptions("se", 24),
            "cbam": HiddenAttentionOptions("cbam", 24),
            "ca": HiddenAttentionOptions("ca", 32),
            "dfc": BlockDfcOptions(),
        },
        paper={
            0.6: (PaperResult("2", "MobileNetV2", "0.6x", preset="official"),),
            1.0: (
                PaperResult("2", "MobileNetV2", "1.0x", preset="official"),
                PaperResult("4", "MobileNetV2", "1.0x", preset="official"),
                PaperResult("4", "MobileNetV2", "1.0x + DFC (Ours)", preset="dfc"),
            ),
            1.1: (
                PaperResult("4", "MobileNetV2", "1.1x", preset="official"),
                PaperResult("4", "MobileNetV2", "1.1x + SE [14]", preset="se"),
                PaperResult("4", "MobileNetV2", "1.1x + CBAM [38]", preset="cbam"),
                PaperResult("4", "MobileNetV2", "1.1x + CA [11]", preset="ca"),
            ),
        },
    ),
    "mobilenetv3_large": _only(
        "mobilenetv3_large",
        "MobileNet",
        "MobileNetV3-L",
        {
            0.75: (PaperResult("2", "MobileNetV3-L", "0.75x", figure_ms=35.0),),
            1.0: (PaperResult("2", "MobileNetV3-L", "1.0x", figure_ms=51.3),),
            1.25: (PaperResult("2", "MobileNetV3-L", "1.25x", figure_ms=74.0),),
        },
    ),
    "shufflenetv1": _only(
        "shufflenetv1",
        "ShuffleNet",
        "ShuffleNetV1 (g=3)",
        {1.0: (PaperResult("2", "ShuffleNetV1", "1.0x (g=3)"),)},
        reshaping_modules=("stage2", "stage3", "stage4"),
    ),
    "shufflenetv2": _only(
        "shufflenetv2",
        "ShuffleNet",
        "ShuffleNetV2",
        {
            1.0: (PaperResult("2", "ShuffleNetV2", "1.0x"),),
            1.5: (PaperResult("2", "ShuffleNetV2", "1.5x"),),
        },
        reshaping_modules=("stage2", "stage3", "stage4"),
    ),
    "proxylessnas": _only(
        "proxylessnas",
        SEARCH,
        "ProxylessNAS",
        {1.0: (PaperResult("2", "ProxylessNAS", "", figure_ms=56.9),)},
    ),
    "fbnet_b": _only(
        "fbnet_b", SEARCH, "FBNet-B", {1.0: (PaperResult("2", "FBNet-B", "", figure_ms=58.9),)}
    ),
    "fbnet_c": _only(
        "fbnet_c", SEARCH, "FBNet-C", {1.0: (PaperResult("2", "FBNet-C", "", figure_ms=69.0),)}
    ),
    "mnasnet_a1": _only(
        "mnasnet_a1",
        SEARCH,
        "MnasNet-A1",
        {1.0: (PaperResult("2", "MnasNet-A1", "", figure_ms=79.5),)},
    ),
    "efficientnet_b0": _only(
        "efficientnet_b0",
        SEARCH,
        "EfficientNet-B0",
        {1.0: (PaperResult("2", "EfficientNet-B0", ""),)},
    ),
    "autonl_s": _only(
        "autonl_s",
        SEARCH,
        "AutoNL-S",
        {1.0: (PaperResult("A3", "AutoNL-S", ""),)},
        tuple(f"blocks.{i}.nl" for i in ("1.0", "2.0", "2.1", "3.0", "4.0", "5.0", "6.0")),
    ),
    "autonl_l": _only(
        "autonl_l",
        SEARCH,
        "AutoNL-L",
        {1.0: (PaperResult("A3", "AutoNL-L", ""),)},
        tuple(
            f"blocks.{i}.nl"
            for i in (
                *("1.0", "1.2", "2.0", "2.1", "2.2", "2.3", "3.0", "3.3"),
                *("4.0", "4.3", "5.0", "5.1", "5.2", "6.0"),
            )
        ),
    ),
    "mobilenext": _only(
        "mobilenext", "MobileNeXt", "MobileNeXt", {1.0: (PaperResult("2", "MobileNeXt", "1.0x"),)}
    ),
    "mobilenext_plus": _only(
        "mobilenext_plus",
        "MobileNeXt",
        "MobileNeXt+",
        {1.0: (PaperResult("2", "MobileNeXt+", "1.0x"),)},
    ),
}
DEFAULT_MODEL = "ghostnetv2"
