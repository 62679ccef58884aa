"""Shares and their differences: intervals and tests for accuracies. Pure functions."""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist

from ghostdeploy.schema import Interval


def wilson_interval(right: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval (1927) of the share ``right`` / ``total``; (0, 1) of nothing."""
    if total == 0:
        return Interval(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / total
    scale = 1 / (1 + z * z / total)
    centre = (share + z * z / (2 * total)) * scale
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) * scale
    return Interval(share, max(0.0, centre - reach), min(1.0, centre + reach))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test.

    Of the images on which just one of two models is right, each model would have half if both were
    equally good: twice the binomial tail, at most 1.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(total, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << total))


def difference_interval(only_first: int, only_second: int, total: int) -> Interval:
    """Second minus first, a share of ``total`` paired images, with its 95 % Wald interval."""
    if total == 0:
        return Interval(0.0, -1.0, 1.0)
    value = (only_second - only_first) / total
    spread = only_first + only_second - (only_second - only_first) ** 2 / total
    reach = 1.959964 * sqrt(max(spread, 0.0)) / total
    return Interval(value, value - reach, value + reach)
