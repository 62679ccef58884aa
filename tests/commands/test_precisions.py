"""The verdict on a precision, case by case."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ghostdeploy.commands.precisions import Row, verdict
from ghostdeploy.types import Interval, QuantizationError


def row(ratio, *, size=1.0, kernels=1, agree=1.0, lost=None):
    """A row with what a verdict looks at."""
    latency = SimpleNamespace(ratio=Interval(ratio, ratio - 0.01, ratio + 0.01))
    paired = None if lost is None else SimpleNamespace(difference=Interval(-lost, 0, 0))
    error = QuantizationError(64, 25.0, 0.99, agree)
    return Row("int8", size, latency, kernels, error, False, None, paired)  # type: ignore[arg-type]


BASE = Row("fp32", 4.0, None, 1, None, False, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (row(0.54), "worth it: 0.54 of fp32's time, 100.0% of answers on 64 held-out"),
        (row(3.0, kernels=12), "not worth it here: 3.00 times fp32's time, cut into 12 XNNPACK"),
        (row(0.54, agree=0.8), "not worth it as it is: 80.0% of answers"),
        (row(0.54, lost=0.004), "worth it: 0.54 of fp32's time, +0.40 points of top-1 lost"),
        (row(0.54, lost=0.03), "not worth it as it is: +3.00 points of top-1 lost"),
        (row(1.0, size=2.0), "worth it for its size only (0.50 of fp32's): no faster"),
        (row(1.0, size=4.0), "no gain"),
    ],
)
def test_the_verdict(candidate, expected):
    assert verdict(candidate, BASE).startswith(expected)


def test_the_base_is_not_judged():
    assert verdict(BASE, BASE) == "what the others are held against"
