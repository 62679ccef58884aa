"""Images and numbers as a TFLite interpreter's tensors hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def to_nhwc(image: Array) -> Array:
    """Return an image (1, C, H, W) as (1, H, W, C), contiguous."""
    return np.ascontiguousarray(image.transpose(0, 2, 3, 1))


def quantize_values(detail: Mapping[str, Any], values: Array) -> NDArray[Any]:
    """Return ``values`` as the tensor that LiteRT's ``detail`` describes holds them.

    That is round(x / scale) + zero_point, clipped to its type, TFLite's affine quantization
    (ai.google.dev/edge/litert/models/quantization_spec); of a float tensor they are as they were.
    An image (1, H, W, C) for a tensor (1, C, H, W), as litert-torch writes inputs, changes layout.
    """
    shape = tuple(int(side) for side in detail.get("shape", ()))
    if values.ndim == 4 and values.shape != shape == values.transpose(0, 3, 1, 2).shape:
        values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
    scale, zero_point = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer) or not scale:
        return values
    limits = np.iinfo(detail["dtype"])
    steps = np.round(values / scale) + zero_point
    return np.asarray(steps.clip(limits.min, limits.max).astype(detail["dtype"]))


def dequantize_values(detail: Mapping[str, Any], values: NDArray[Any]) -> Array:
    """Return the real numbers (q − zero_point)·scale that a tensor's ``values`` stand for."""
    scale, zero_point = detail["quantization"]
    if not np.issubdtype(values.dtype, np.integer) or not scale:
        return values
    return np.asarray((values.astype(np.float32) - zero_point) * np.float32(scale))
