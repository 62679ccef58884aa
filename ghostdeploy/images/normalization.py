"""What networks expect of an image. Light: no numpy."""

from __future__ import annotations

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import Normalization

# ImageNet's mean and standard deviation of RGB in 0–1, as the official training code and
# timm's configuration of these checkpoints have them.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
NORMALIZATION_FACT = "ghostdeploy.normalization"  # the key in a model file's metadata
IMAGENET = Normalization(MEAN, STD)


def normalize_to(low: float, high: float) -> Normalization:
    """Return the normalization that brings black to ``low`` and white to ``high``.

    Raises UsageError where ``high`` is not above ``low``.
    """
    if not high > low:
        raise UsageError(f"an input range goes from low to high, not from {low:g} to {high:g}")
    mean, std = 0.0 - low / (high - low), 1 / (high - low)
    return Normalization((mean,) * 3, (std,) * 3)


BYTES = normalize_to(0.0, 255.0)


def published_normalization(embedded: bool) -> Normalization:
    """Return what our exports take: ImageNet's, or bytes where the file normalizes by itself."""
    return BYTES if embedded else IMAGENET


def describe_input(normalization: Normalization) -> str:
    """Return what a caller has to do to a picture before the network takes it."""
    if normalization == BYTES:
        return "RGB, 0 to 255"
    mean, std = (
        tuple(float(f"{value:.6g}") for value in values)
        for values in (normalization.mean, normalization.std)
    )
    return f"RGB, 0 to 1, minus {mean}, divided by {std}"
