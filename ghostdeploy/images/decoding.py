"""Image files as pixels: decoded, resized, cropped; what cannot be used says why."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import MissingExtraError
from ghostdeploy.images.preprocessing import Preprocessing

MAX_PIXELS = 64_000_000  # beyond it a file is a mistake or a decompression bomb
MAX_BYTES = 64_000_000
MARGIN = 4  # times the crop's sides: usual pictures (up to 4:1 at least) are resized whole
SUPPORT = 8  # source pixels beyond, which bicubic interpolation may look at


class UnusableImage(Exception):
    """Why one image is left out, in a word or two that can be counted."""


def decode_image(path: Path, how: Preprocessing) -> NDArray[np.uint8]:
    """Return a file's pixels as ``how`` resizes and crops them: (H, W, 3) RGB of 0 to 255.

    Grey and CMYK become RGB, as in the usual evaluation. Raises UnusableImage for a file that is
    empty, damaged, animated or too large, and MissingExtraError without Pillow.
    """
    with _open(path) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise UnusableImage("animated")
        try:
            return fit_image(image, how)
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            raise UnusableImage("damaged") from error


def _open(path: Path) -> Any:
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


def fit_image(image: Any, how: Preprocessing) -> NDArray[np.uint8]:
    """Return a PIL image, resized to cover resolution / crop, and its middle cut out: (H, W, 3)."""
    from PIL import Image

    height, width = how.resolution
    rgb = _cut_ends(image.convert("RGB"), how)
    scale = max(height / how.crop / rgb.height, width / how.crop / rgb.width)
    size = max(width, round(rgb.width * scale)), max(height, round(rgb.height * scale))
    if size != rgb.size:
        rgb = rgb.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(rgb.crop((left, top, left + width, top + height)))


def _cut_ends(image: Any, how: Preprocessing) -> Any:
    """Return the middle of a picture that is many times longer than wide, else all of it.

    Resized whole, a strip of 60000×1 pixels would take gigabytes. What is left reaches
    MARGIN × as far as the crop, so that the same pixels come out.
    """
    height, width = how.resolution
    scale = max(height / how.crop / image.height, width / how.crop / image.width)
    cuts = [
        max(0, int((side - MARGIN * wanted / scale - SUPPORT) / 2))
        for side, wanted in ((image.width, width), (image.height, height))
    ]
    if not any(cuts):
        return image
    left, top = cuts
    return image.crop((left, top, image.width - left, image.height - top))


def describe_skipped(skipped: Counter[str]) -> str:
    """Return ``3 images skipped (2 damaged, 1 animated)``, or "" where none was."""
    if not skipped:
        return ""
    total = sum(skipped.values())
    kinds = ", ".join(f"{count} {why}" for why, count in sorted(skipped.items()))
    return f"{total} image{'' if total == 1 else 's'} skipped ({kinds})"
