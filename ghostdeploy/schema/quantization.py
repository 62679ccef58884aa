"""How a quantized model was made, and what it lost."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema.interval import Interval


@dataclass(frozen=True)
class Calibration:
    """Which images the ranges of a quantized model were measured on.

    ``source`` is the folder's or file's name, ``sha256`` of the chosen images as they went in,
    ``skipped`` counts of unusable ones. ``synthetic`` ones tell nothing about accuracy.
    """

    source: str
    sha256: str = ""
    size: int = 0
    seed: int = 0
    synthetic: bool = False
    crop: float = 0.875
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerError:
    """How far one tensor of a quantized model is from fp32's; ``snr_db`` is 10·log₁₀(Σx²/Σ(x−y)²).

    ``saturated`` is the share of values at the end of the range (ReLU's zero apart).
    """

    name: str
    module: str
    snr_db: float
    saturated: float = 0.0


@dataclass(frozen=True)
class ConcatenationScales:
    """The largest magnitudes of a concatenation's inputs, which int8 makes share one scale."""

    name: str
    largest: tuple[float, ...]


@dataclass(frozen=True)
class QuantizationError:
    """A quantized model against its fp32 original on ``inputs`` images not calibrated on.

    ``constant`` says whose output (``fp32``, ``quantized``) is the same for all of them: agreement
    with it proves nothing. ``answers`` counts the best classes that fp32 has among them, 0 where
    nobody counted.
    """

    inputs: int
    snr_db: float
    cosine: float
    top1_agreement: float
    layers: tuple[LayerError, ...] = ()
    concatenations: tuple[ConcatenationScales, ...] = ()
    constant: tuple[str, ...] = ()
    answers: int = 0

    def worst(self, count: int = 10) -> tuple[LayerError, ...]:
        """Return the ``count`` layers that lost the most, worst first."""
        return tuple(sorted(self.layers, key=lambda layer: layer.snr_db)[:count])


@dataclass(frozen=True)
class FloatCost:
    """What layers kept in float cost, against the same model with none and against fp32.

    ``int8_kernels`` are the XNNPACK partitions without them. ``to_int8`` and ``to_fp32`` are
    ratios of latency over so many ``launches``, interleaved on the machine that made the file,
    with ``noise`` as in Comparison; None where they could not be measured: ``why_not``.
    """

    int8_kernels: int | None = None
    to_int8: Interval | None = None
    to_fp32: Interval | None = None
    launches: int = 0
    noise: float = 0.0
    why_not: str = ""


@dataclass(frozen=True)
class Quantization:
    """How a quantized artifact was made, beside its precision, and what that cost.

    ``kept_float`` are the layers that stayed in fp32, at ``cost``; ``kernels`` the XNNPACK
    partitions.
    """

    method: str
    calibration: Calibration
    switches: tuple[str, ...] = ()
    kept_float: tuple[str, ...] = ()
    error: QuantizationError | None = None
    kernels: int | None = None
    cost: FloatCost | None = None
