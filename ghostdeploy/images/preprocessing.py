"""From a picture's bytes to a network's input: the crop's share, the order of axes, the scale.

Calibration and evaluation both go through here, so that a network is calibrated on just what it is
judged on. The steps are the published evaluation's: shorter side to resolution / 0.875 (bicubic),
centre crop, RGB of 0–1, the network's mean and standard deviation (ImageNet's for the zoo).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import InputFileError
from ghostdeploy.images.normalization import BYTES, IMAGENET
from ghostdeploy.schema import Normalization
from ghostdeploy.schema.checks import check_range

CROP = 0.875  # the share of the resized side that is kept


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the model's input.

    ``resolution`` is (height, width) in pixels. Raises InputFileError where ``crop`` is not 0.1
    to 1.
    """

    resolution: tuple[int, int]
    normalization: Normalization = IMAGENET
    crop: float = CROP

    def __post_init__(self) -> None:
        check_range("the crop", self.crop, 0.1, 1, unit="of the image", error=InputFileError)

    @property
    def rgb255(self) -> bool:
        """Whether the model takes a picture's bytes as they are."""
        return self.normalization == BYTES

    def finish(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return bytes (…, H, W, 3) as (…, 3, H, W) in the values that the model takes."""
        rgb = np.moveaxis(pixels, -1, -3).astype(np.float64)
        return (rgb if self.rgb255 else normalize(rgb / 255.0, self.normalization)).astype(
            np.float32
        )

    @property
    def limits(self) -> tuple[float, float]:
        """Return the smallest and the largest value that a pixel can come to."""
        ends = np.array([0, 255], np.uint8)[:, None, None, None].repeat(3, -1)
        finished = self.finish(ends)
        return float(finished.min()), float(finished.max())


def normalize(
    images: NDArray[np.float64], normalization: Normalization = IMAGENET
) -> NDArray[np.float64]:
    """Return RGB of 0–1, any (…, 3, H, W), less the mean and divided by the standard deviation."""
    mean, std = (np.array(v)[:, None, None] for v in (normalization.mean, normalization.std))
    return np.asarray((images - mean) / std)
