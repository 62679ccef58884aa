"""Shares and their differences: intervals and tests for accuracies. Pure functions.

All shares are of 1: 0.75 is 75 %.
"""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist

from ghostdeploy.schema import Interval


def wilson_interval(right: int, total: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of the share ``right`` / ``total``; (0, 1) of nothing.

    Wilson 1927, J. Am. Statist. Assoc. 22, without a correction for continuity. ``confidence`` is
    two-sided. Raises ValueError for one of 1 or more.
    """
    if total == 0:
        return Interval(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / total
    scale = 1 / (1 + z * z / total)
    centre = (share + z * z / (2 * total)) * scale
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) * scale
    return Interval(share, max(0.0, centre - reach), min(1.0, centre + reach))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    Of the images on which just one of two models is right, each model would have half if both were
    equally good: twice the binomial tail, at most 1 (McNemar 1947, Psychometrika 12; exact as in
    Agresti, Categorical Data Analysis, 3rd ed., 11.1). Neither number may be negative.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(total, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << total))


def difference_interval(only_first: int, only_second: int, total: int) -> Interval:
    """Return second minus first, a share of ``total`` paired images, with its 95 % Wald interval.

    The variance is that of paired proportions, (b + c − (b − c)²/n)/n² (Agresti, Categorical Data
    Analysis, 3rd ed., 11.1). Of nothing the difference is 0, with limits −1 and 1.
    """
    if total == 0:
        return Interval(0.0, -1.0, 1.0)
    value = (only_second - only_first) / total
    spread = only_first + only_second - (only_second - only_first) ** 2 / total
    reach = 1.959964 * sqrt(max(spread, 0.0)) / total
    return Interval(value, value - reach, value + reach)
