"""Seeded images to judge and to settle networks with: noise, and pictures with structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]


def example_images(random: np.random.RandomState, count: int, height: int, width: int) -> Image:
    """Return images (count, 3, H, W), RGB of 0–1, noise and pictures by turns.

    A network sees the two very differently: noise averages out in the pooled branches, a
    picture's large areas do not.
    """
    return np.stack(
        [
            _picture(random, height, width) if i % 2 else random.rand(3, height, width)
            for i in range(count)
        ]
    )


def _picture(random: np.random.RandomState, height: int, width: int) -> Image:
    """Paint smooth colour gradients under a few filled discs: (3, H, W)."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    image = np.stack([0.5 + 0.5 * np.sin(6 * (a * x + b * y) + c) for a, b, c in random.rand(3, 3)])
    for cx, cy, radius, *color in random.rand(6, 6):
        inside = (x - cx) ** 2 + (y - cy) ** 2 < (0.3 * radius) ** 2
        image[:, inside] = np.array(color)[:, None]
    return np.asarray(image)
