"""How a float model file becomes one of a calibrated precision, and what comes of that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from ghostdeploy.images.normalization import NORMALIZATION_FACT
from ghostdeploy.quantization import QuantizeOptions
from ghostdeploy.schema import Quantization

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing
    from ghostdeploy.quantization.calibration import CalibrationData
    from ghostdeploy.quantization.ranges import Range


@dataclass(frozen=True)
class QuantizationPlan:
    """What is to be done to a float model of one image, of any format.

    ``data`` are the images, ``how`` leads from a picture to them. ``rewrites`` are those of the
    quantized TFLite graph, ``bounds`` limit the ranges of modules, by name, where BN decides them.
    """

    precision: str
    options: QuantizeOptions
    data: CalibrationData
    how: Preprocessing
    rewrites: tuple[str, ...] = ()
    bounds: Mapping[str, Range] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest value that a pixel of an image comes to."""
        return self.how.limits

    @property
    def facts(self) -> dict[str, str]:
        """What the quantized file says of itself beside what its original said."""
        return {
            "ghostdeploy.precision": self.precision,
            "ghostdeploy.calibration": json.dumps(asdict(self.data.identity), sort_keys=True),
            NORMALIZATION_FACT: json.dumps(asdict(self.how.normalization), sort_keys=True),
        }


@dataclass(frozen=True)
class QuantizedModel:
    """A quantized file, what it is, and how often each rewrite changed something in it."""

    data: bytes
    quantization: Quantization
    rewrites: dict[str, int] = field(default_factory=dict)
