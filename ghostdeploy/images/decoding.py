"""Image files as a network's input: decoded, resized, cropped, normalized.

Calibration and evaluation both go through here, so that a network is calibrated on just what it is
judged on. The steps are the published evaluation's: shorter side to resolution / 0.875 (bicubic),
centre crop, RGB of 0–1, ImageNet's mean and standard deviation.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.images.examples import normalize

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm"})
CROP = 0.875  # the share of the resized side that is kept
MAX_PIXELS = 64_000_000  # beyond it a file is a mistake or a decompression bomb
MAX_BYTES = 64_000_000


@dataclass(frozen=True)
class Preprocessing:
    """From a picture to the model's input. ``rgb255``: the model normalizes by itself."""

    resolution: tuple[int, int]  # height, width
    rgb255: bool = False
    crop: float = CROP

    def __post_init__(self) -> None:
        if not 0.1 <= self.crop <= 1.0:
            raise InputFileError(f"the crop must be 0.1 to 1 of the image, not {self.crop}")

    def finish(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(…, H, W, 3) bytes → (…, 3, H, W) as the model takes them."""
        rgb = np.moveaxis(pixels, -1, -3).astype(np.float64)
        return (rgb if self.rgb255 else normalize(rgb / 255.0)).astype(np.float32)

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest value that a pixel can come to."""
        ends = np.array([0, 255], np.uint8)[:, None, None, None].repeat(3, -1)
        finished = self.finish(ends)
        return float(finished.min()), float(finished.max())


class UnusableImage(Exception):
    """Why one image is left out, in a word or two that can be counted."""


def image_files(folder: Path) -> list[Path]:
    """Every image below ``folder``, sorted by name. Raises InputFileError where there is none."""
    if not folder.exists():
        raise InputFileError(f"{folder} does not exist")
    if not folder.is_dir():
        raise InputFileError(f"{folder} is not a folder of images")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise InputFileError(f"{folder} has no images (of {', '.join(sorted(SUFFIXES))})")
    return found


def decode(path: Path, how: Preprocessing) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, resized and cropped. Grey and CMYK become RGB, as in the usual evaluation.

    Raises UnusableImage for a file that is empty, damaged, animated or too large.
    """
    with _opened(path) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise UnusableImage("animated")
        try:
            return fitted(image, how)
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            raise UnusableImage("damaged") from error


def _opened(path: Path) -> Any:
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError as error:
        raise MissingExtraError("pillow", "export") from error
    try:
        size = path.stat().st_size
        if size == 0:
            raise UnusableImage("empty")
        if size > MAX_BYTES:
            raise UnusableImage("too large")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the bound below is ours, and stricter
            image = Image.open(path)
    except UnidentifiedImageError as error:
        raise UnusableImage("damaged") from error
    except Image.DecompressionBombError as error:
        raise UnusableImage("too large") from error
    # A damaged header surfaces as nearly any kind of error.
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError) as error:
        raise UnusableImage("damaged") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise UnusableImage("too large")
    return image


def fitted(image: Any, how: Preprocessing) -> NDArray[np.uint8]:
    """A PIL image, resized to cover resolution / crop and cropped in the middle: (H, W, 3)."""
    from PIL import Image

    height, width = how.resolution
    rgb = image.convert("RGB")
    scale = max(height / how.crop / rgb.height, width / how.crop / rgb.width)
    size = max(width, round(rgb.width * scale)), max(height, round(rgb.height * scale))
    if size != rgb.size:
        rgb = rgb.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(rgb.crop((left, top, left + width, top + height)))


def skipped_text(skipped: Counter[str]) -> str:
    """``3 images skipped (2 damaged, 1 animated)``, or "" where none was."""
    if not skipped:
        return ""
    total = sum(skipped.values())
    kinds = ", ".join(f"{count} {why}" for why, count in sorted(skipped.items()))
    return f"{total} image{'' if total == 1 else 's'} skipped ({kinds})"
