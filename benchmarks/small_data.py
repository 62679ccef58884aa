"""Two data sets that need no download, for networks that are really trained.

``shapes``: two figures far apart, each kind with a texture of its own, on a striped ground. The
class is the unordered pair of figures (4 kinds, 10 pairs), so that no single region of an image
decides it. Every image is made from (seed, split, number) alone.
``digits``: scikit-learn's 1797 handwritten digits, upsampled from 8×8 to 112×112.

Run: python benchmarks/small_data.py shapes|digits OUT [TEST [CALIBRATION]] writes so many images of
those splits as PNG files, a folder a class (ImageFolder's layout), in seconds; it prints nothing.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 112  # the published recipe resizes to 110 and crops 96 from the middle
FIGURES = ("disc", "square", "triangle", "cross")
TEXTURES = ("plain", "stripes", "checks", "noise")
PAIRS = tuple(itertools.combinations_with_replacement(range(len(FIGURES)), 2))
SPLITS = {"train": 0, "test": 1, "calibration": 2}
NAMES = {
    "shapes": tuple(f"{n}-{FIGURES[a]}-{FIGURES[b]}" for n, (a, b) in enumerate(PAIRS)),
    "digits": tuple(str(digit) for digit in range(10)),
}
Images = NDArray[np.uint8]


def load(name: str, split: str, count: int, seed: int = 0) -> tuple[Images, NDArray[np.int64]]:
    """Return (count, 112, 112, 3) RGB and the class of each.

    ``digits`` has fewer; all are given then.
    """
    if name == "digits":
        return digits(split, count)
    made = [shape_image(seed, SPLITS[split], number) for number in range(count)]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made])


def shape_image(seed: int, split: int, number: int) -> tuple[Images, int]:
    """Return one image of ``shapes`` and its class; the classes take turns."""
    random = np.random.default_rng([seed, split, number])
    label = number % len(PAIRS)
    image = random.uniform(0.1, 0.6, 3) + 0.1 * _waves(random, "stripes")[..., None]
    angle, reach = random.uniform(0, 2 * np.pi), random.uniform(24, 28)
    for figure, side in zip(random.permutation(PAIRS[label]), (1, -1), strict=True):
        x, y = (
            SIDE / 2 + side * reach * f(angle) + random.uniform(-4, 4) for f in (np.cos, np.sin)
        )
        inside = _figure(int(figure), x, y, random.uniform(13, 18), random.uniform(0, 2 * np.pi))
        texture = _waves(random, TEXTURES[figure])[..., None] * random.uniform(0.15, 0.35, 3)
        image[inside] = (random.uniform(0.5, 1.0, 3) + texture)[inside]
    contrast = 0.1 ** random.uniform(0, 1)  # the faint ones are where eight bits are short
    image = random.uniform(0.2, 0.8, 3) + contrast * (image - 0.5)
    image = image + random.normal(0, 0.02, image.shape)
    return (255 * image.clip(0, 1)).round().astype(np.uint8), label


def _waves(random: np.random.Generator, texture: str) -> NDArray[np.float64]:
    """Return a pattern of −1 to 1 in a random direction and spacing: (112, 112)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    angle, period = random.uniform(0, np.pi), random.uniform(5, 9)
    u = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period
    v = 2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period
    if texture == "plain":
        return np.zeros((SIDE, SIDE))
    if texture == "noise":
        return random.uniform(-1, 1, (SIDE, SIDE))
    return np.asarray(np.sin(u) * (np.sin(v) if texture == "checks" else 1.0))


def _figure(kind: int, x: float, y: float, radius: float, turn: float) -> NDArray[np.bool_]:
    """Return where the figure of about ``radius`` pixels around (x, y) covers the image."""
    v, u = np.mgrid[0:SIDE, 0:SIDE] - np.array([y, x])[:, None, None]
    u, v = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
    if FIGURES[kind] == "disc":
        return np.asarray(u**2 + v**2 < radius**2)
    if FIGURES[kind] == "square":
        return np.asarray(np.maximum(abs(u), abs(v)) < 0.9 * radius)
    if FIGURES[kind] == "triangle":
        edges = (u * np.cos(a) + v * np.sin(a) for a in 2 * np.pi / 3 * np.arange(3))
        return np.logical_and.reduce([edge < 0.65 * radius for edge in edges])
    arms = np.minimum(abs(u), abs(v)) < 0.35 * radius
    return np.asarray(arms & (np.maximum(abs(u), abs(v)) < 1.1 * radius))


def digits(split: str, count: int) -> tuple[Images, NDArray[np.int64]]:
    """Return a split: of every 20 digits 13 are for training, 6 for testing, 1 for calibration."""
    from sklearn.datasets import load_digits

    data = load_digits()
    turn = np.arange(len(data.images)) % 20
    picked = {"train": turn < 13, "test": (turn >= 13) & (turn < 19), "calibration": turn == 19}
    chosen = np.flatnonzero(picked[split])[:count]
    images = [
        np.array(
            Image.fromarray((image * (255 / 16)).astype(np.uint8))
            .resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            .convert("RGB")
        )
        for image in data.images[chosen]
    ]
    return np.stack(images), data.target[chosen].astype(np.int64)


def write(name: str, out: Path, test: int = 1000, calibration: int = 200) -> None:
    """Write ``out/test/CLASS/NUMBER.png`` and ``out/calibration/CLASS/NUMBER.png``."""
    for split, wanted in (("test", test), ("calibration", calibration)):
        for number, (image, label) in enumerate(zip(*load(name, split, wanted), strict=True)):
            folder = out / split / NAMES[name][label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{number:05d}.png")


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
