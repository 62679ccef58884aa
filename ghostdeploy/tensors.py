"""Images and numbers as a TFLite interpreter's tensors hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def to_nhwc(image: Array) -> Array:
    """(1, C, H, W) → (1, H, W, C), contiguous."""
    return np.ascontiguousarray(image.transpose(0, 2, 3, 1))


def quantized(detail: Mapping[str, Any], values: Array) -> NDArray[Any]:
    """``values`` as the tensor that LiteRT's ``detail`` describes holds them."""
    scale, zero_point = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer) or not scale:
        return values
    limits = np.iinfo(detail["dtype"])
    steps = np.round(values / scale) + zero_point
    return np.asarray(steps.clip(limits.min, limits.max).astype(detail["dtype"]))


def dequantized(detail: Mapping[str, Any], values: NDArray[Any]) -> Array:
    """The real numbers that ``values`` of a quantized tensor stand for."""
    scale, zero_point = detail["quantization"]
    if not np.issubdtype(values.dtype, np.integer) or not scale:
        return values
    return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale))
