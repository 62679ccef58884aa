"""Calibration data: real images as a model's input, chosen by a seed, identified by a hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import InputFileError
from ghostdeploy.images.decoding import UnusableImage, decode_image, describe_skipped
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.folders import find_images
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.images.stored import open_images
from ghostdeploy.progress import Progress, ignore_progress, report_tenths
from ghostdeploy.quantization import QuantizeOptions
from ghostdeploy.schema import Calibration
from ghostdeploy.schema.checks import check_range

MIN_IMAGES = 8  # fewer show too little of any range
HELD_OUT = 64  # images for the error report; never more than a third of those there are
ARRAY_SUFFIXES = (".npy", ".npz")
Inputs = NDArray[np.float32]  # (N, 3, H, W), as the model takes them


@dataclass(frozen=True)
class CalibrationData:
    """``inputs`` to measure ranges on, ``held_out`` ones to judge the result with."""

    identity: Calibration
    inputs: Inputs
    held_out: Inputs


def gather(
    options: QuantizeOptions, how: Preprocessing, progress: Progress = ignore_progress
) -> CalibrationData:
    """Gather the images that ``options`` names, or synthetic ones. Raises as ``load`` does."""
    if options.calibration is None:
        return make_synthetic(how, options.size, options.seed)
    return load(options.calibration, how, options.size, options.seed, progress)


def make_synthetic(how: Preprocessing, size: int, seed: int) -> CalibrationData:
    """Make noise and pictures by turns: enough to make a file, not to trust its accuracy."""
    _check_size(size)
    random = np.random.RandomState(seed)
    held_out = min(HELD_OUT, max(MIN_IMAGES, size // 2))
    rgb = example_images(random, size + held_out, *how.resolution)
    pixels = (255.0 * rgb).round().astype(np.uint8).transpose(0, 2, 3, 1)
    return _finished(pixels, size, how, Calibration("synthetic", seed=seed, synthetic=True))


def load(
    source: Path, how: Preprocessing, size: int, seed: int, progress: Progress = ignore_progress
) -> CalibrationData:
    """Load ``size`` images of a folder, a .npy or a .npz, and up to 64 others to hold out.

    An array is (N, H, W, 3) bytes of RGB at the model's resolution (in a .npz called ``images``,
    or alone). Raises InputFileError for another size, range or kind, and where fewer than 8
    images are usable.
    """
    _check_size(size)
    identity = Calibration(source.name, seed=seed, crop=how.crop)
    if source.suffix in ARRAY_SUFFIXES:
        with open_images(source, how.resolution) as stored:
            _enough(source, stored.count)
            wanted = size + _held_out(stored.count)
            order = np.random.RandomState(seed).permutation(stored.count)[:wanted]
            return _finished(stored.read(order), size, how, identity)
    pixels, skipped = _folder(source, how, size, seed, progress)
    told = tuple(f"{count} {why}" for why, count in sorted(skipped.items()))
    return _finished(pixels, size, how, replace(identity, skipped=told))


def _check_size(size: int) -> None:
    check_range("calibration-size", size, MIN_IMAGES)


def _held_out(available: int) -> int:
    return min(HELD_OUT, available // 3)


def _enough(source: Path, count: int, skipped: str = "") -> None:
    if count < MIN_IMAGES:
        what = "1 usable image" if count == 1 else f"{count or 'no'} usable images"
        more = f", {skipped}" if skipped else ""
        raise InputFileError(
            f"{source} has {what}{more}; at least {MIN_IMAGES} are needed to calibrate"
        )


def _folder(
    folder: Path, how: Preprocessing, size: int, seed: int, progress: Progress
) -> tuple[NDArray[np.uint8], Counter[str]]:
    files = find_images(folder)
    wanted = min(size + _held_out(len(files)), len(files))
    found: list[NDArray[np.uint8]] = []
    skipped: Counter[str] = Counter()
    for number in np.random.RandomState(seed).permutation(len(files)):
        if len(found) == wanted:
            break
        report_tenths(progress, len(found), wanted, f"reading {folder.name}")
        try:
            found.append(decode_image(files[number], how))
        except UnusableImage as why:
            skipped[str(why)] += 1
    _enough(folder, len(found), describe_skipped(skipped))
    return np.stack(found), skipped


def _finished(
    pixels: NDArray[np.uint8], size: int, how: Preprocessing, identity: Calibration
) -> CalibrationData:
    size = min(size, len(pixels) - _held_out(len(pixels)))
    chosen, held_out = pixels[:size], pixels[size:]
    digest = hashlib.sha256(repr((chosen.shape, how)).encode() + chosen.tobytes()).hexdigest()
    return CalibrationData(
        identity=replace(identity, sha256=digest, size=len(chosen)),
        inputs=np.stack([how.finish(image) for image in chosen]),
        held_out=np.stack([how.finish(image) for image in held_out]),
    )
