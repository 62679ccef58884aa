"""How far a device's outputs are from this machine's, and how far they may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ghostdeploy.errors import MeasurementError

# Relative L2 of the worst output. Other processors sum in another order; half precision has 11
# bits; an int8 step that rounds the other way moves a logit by its whole quantum.
TOLERANCE_FP32, TOLERANCE_FP16, TOLERANCE_INT8 = 1e-3, 5e-2, 1e-1


def choose_tolerance(*, quantized: bool, half: bool) -> float:
    """Return the relative L2 allowed to a model with int8 tensors, or in half precision."""
    if quantized:
        return TOLERANCE_INT8
    return TOLERANCE_FP16 if half else TOLERANCE_FP32


@dataclass(frozen=True)
class Agreement:
    """The worst distance over all outputs; those of integers count in quanta.

    ``rel_l2`` is ‖a−b‖₂/‖b‖₂ with b this machine's.
    """

    max_abs: float
    rel_l2: float


def measure_agreement(device: bytes, here: Sequence[tuple[str, bytes]]) -> Agreement:
    """Compare a device's outputs with this machine's.

    ``device`` holds all outputs, one after the other; ``here`` each with numpy's type name.

    Raises MeasurementError where the sizes differ or a value is not a number.
    """
    import numpy as np

    expected = sum(len(data) for _, data in here)
    if len(device) != expected:
        raise MeasurementError(
            f"the device's outputs have {len(device)} bytes, this machine's {expected}"
        )
    worst, farthest, start = 0.0, 0.0, 0
    for dtype, data in here:
        part = device[start : start + len(data)]
        start += len(data)
        theirs, ours = (np.frombuffer(raw, dtype).astype(np.float64) for raw in (part, data))
        difference, scale = np.linalg.norm(theirs - ours), np.linalg.norm(ours)
        if not np.isfinite(difference):
            raise MeasurementError("an output is not a number on the device or here")
        farthest = max(farthest, float(np.abs(theirs - ours).max(initial=0.0)))
        worst = max(worst, float(difference / scale) if scale else float(difference > 0))
    return Agreement(farthest, worst)
