"""What a network is, and how it is exported."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.checks import check_range

MIN_SIDE, MAX_SIDE = 33, 4096  # at 32 the last DFC branch would pool 1×1 to nothing
MIN_WIDTH, MAX_WIDTH = 0.1, 4.0
MAX_CLASSES = 1_000_000


@dataclass(frozen=True)
class ModelSpec:
    """What a network is, weights aside; ``zoo.make_spec`` makes one.

    ``resolution`` is (height, width) in pixels. ``variant`` says which preset the architecture's
    ``options`` (a frozen dataclass of its own, or None) come from, and what was changed in it.

    Raises UsageError where no such network can be built.
    """

    arch: str
    width: float = 1.0
    resolution: tuple[int, int] = (224, 224)
    variant: str = "official"
    options: object = None
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and MIN_WIDTH <= self.width <= MAX_WIDTH):
            raise UsageError(
                f"width must be between {MIN_WIDTH} and {MAX_WIDTH}, not {self.width}"
                " (the paper's are 0.5 to 1.7)"
            )
        shown = "x".join(map(str, self.resolution))
        for side in self.resolution:
            check_range("resolution", side, MIN_SIDE, MAX_SIDE, unit="pixels a side", shown=shown)
        check_range("num-classes", self.num_classes, 1, MAX_CLASSES)

    @property
    def name(self) -> str:
        """Return an identity that is safe in file names, e.g. ``ghostnetv2_1.0_224``."""
        height, width = self.resolution
        parts = [self.arch, str(float(self.width))]
        parts.append(str(height) if height == width else f"{height}x{width}")
        if self.variant != "official":
            parts.append(self.variant.replace("=", "-").replace(",", "."))
        if self.num_classes != 1000:
            parts.append(f"c{self.num_classes}")
        return "_".join(parts)


@dataclass(frozen=True)
class ExportOptions:
    """What is exported, beside the network itself.

    ``embed_preprocessing``: the model takes RGB of 0–255; ImageNet's mean and standard
    deviation are folded into the stem. ``softmax``: probabilities instead of logits.
    ``features``: the feature maps at strides 4, 8, 16, 32 instead of logits.
    ``labels``: one class name an output, for the TFLite metadata. ``without``, ``speed``: rewrites
    of the TFLite graph that are left out, and those for speed alone that are applied, by name.
    """

    embed_preprocessing: bool = False
    softmax: bool = False
    features: bool = False
    labels: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    speed: tuple[str, ...] = ()
