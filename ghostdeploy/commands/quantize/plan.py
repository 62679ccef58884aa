"""How a float model file becomes one of a calibrated precision, and what comes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghostdeploy.quantize import QuantizeOptions
from ghostdeploy.schema import Quantization

if TYPE_CHECKING:
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range


@dataclass(frozen=True)
class QuantizationPlan:
    """What is to be done to a float model of one image, of any format.

    ``data`` are the images, ``limits`` the smallest and the largest value that one of their pixels
    comes to. ``rewrites`` are those of the quantized TFLite graph, ``bounds`` limit the ranges of
    modules, by name, where BN decides them.
    """

    precision: str
    options: QuantizeOptions
    data: CalibrationData
    limits: tuple[float, float]
    rewrites: tuple[str, ...] = ()
    bounds: Mapping[str, Range] | None = None


@dataclass(frozen=True)
class QuantizedModel:
    """A quantized file, what it is, and how often each rewrite changed something in it."""

    data: bytes
    quantization: Quantization
    rewrites: dict[str, int] = field(default_factory=dict)
