"""The interval that every estimate comes with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits."""

    value: float
    lower: float
    upper: float
