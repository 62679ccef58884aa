"""How far the emulated core's outputs are from this machine's."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.errors import MeasurementError


@dataclass(frozen=True)
class Agreement:
    """The worst over all outputs; those of integers count in quanta.

    ``rel_l2`` is ‖a−b‖₂/‖b‖₂ with b this machine's.
    """

    max_abs: float
    rel_l2: float


def agreement(emulated: bytes, host: bytes, layout: str) -> Agreement:
    """``layout`` is TYPE:COUNT of each output, with commas, as ``host_outputs`` returns it.

    Raises MeasurementError where the sizes differ or a value is not a number.
    """
    import numpy as np

    if len(emulated) != len(host):
        raise MeasurementError(
            f"the emulated core's outputs have {len(emulated)} bytes, this machine's {len(host)}"
        )
    worst, farthest, start = 0.0, 0.0, 0
    for entry in layout.split(","):
        dtype, _, count = entry.partition(":")
        ours, theirs = (
            np.frombuffer(data, dtype, int(count), start).astype(np.float64)
            for data in (emulated, host)
        )
        start += int(count) * np.dtype(dtype).itemsize
        difference, scale = np.linalg.norm(ours - theirs), np.linalg.norm(theirs)
        if not np.isfinite(difference):
            raise MeasurementError("an output is not a number on the emulated core or here")
        farthest = max(farthest, float(np.abs(ours - theirs).max(initial=0.0)))
        worst = max(worst, float(difference / scale) if scale else float(difference > 0))
    return Agreement(farthest, worst)
