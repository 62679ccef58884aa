"""What a network expects of a picture's values."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema.checks import check_range

Triple = tuple[float, float, float]
LARGEST = 1e6  # beyond it is no scale of pixels


@dataclass(frozen=True)
class Normalization:
    """RGB of 0–1, less ``mean``, divided by ``std``: one number a channel, as timm writes them.

    Raises UsageError for what is no finite number, and for a ``std`` that is not positive.
    """

    mean: Triple
    std: Triple

    def __post_init__(self) -> None:
        for value in self.mean:
            check_range("mean", value, -LARGEST, LARGEST)
        for value in self.std:
            check_range("std", value, 1 / LARGEST, LARGEST)
