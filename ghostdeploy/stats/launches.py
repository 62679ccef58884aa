"""Distribution-free statistics of a few launches, exact where that is affordable.

Pure, and of the standard library only. Every function of values raises ValueError for no values,
or for values that are not finite: that is a mistake of the caller, not of the user. A result is
in the values' unit unless it says otherwise; a share of 0.02 is 2 %.

HWC in the docstrings is Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 3rd ed.,
Wiley 2014.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, combinations, combinations_with_replacement
from statistics import NormalDist, median

from ghostdeploy.schema import Interval

# Above these the exact distributions cost more than they bring; a normal limit takes over.
EXACT_SIGNED_RANK_N = 100
EXACT_KENDALL_N = 60
MAD_TO_SD = 1.4826  # 1 / Φ⁻¹(3/4): makes the MAD of normal values their standard deviation


@dataclass(frozen=True)
class Trend:
    """A straight line through values in their order of time.

    ``change`` is the line's rise from the first value to the last, as a share of the median;
    ``p_value`` is two-sided, of Kendall's test against no order at all.
    """

    change: float
    p_value: float


def hodges_lehmann(d: Iterable[float]) -> float:
    """Return the median of the Walsh averages (dᵢ + dⱼ)/2, i ≤ j, in the values' unit.

    Hodges & Lehmann 1963, Ann. Math. Statist. 34; HWC 3.2.
    """
    return median(_walsh_averages(_checked(d)))


def signed_rank_interval(d: Iterable[float], confidence: float = 0.95) -> Interval:
    """Return Hodges-Lehmann's estimate, and the interval that inverts the signed-rank test.

    Two-sided; for a one-sided level a take ``confidence = 1 - 2a``. The true confidence is at
    least the one asked for, unless ``len(d)`` is too small for it (``max_confidence`` says how much
    is possible): then the interval is the full range of ``d``. Above EXACT_SIGNED_RANK_N values a
    normal limit takes the exact distribution's place. The test is Wilcoxon's (1945, Biometrics
    Bulletin 1; HWC 3.1), the interval Tukey's (HWC 3.3). Raises ValueError for a confidence that is
    not between 0 and 1.
    """
    values = _checked(d)
    averages = sorted(_walsh_averages(values))
    outside = _signed_rank_tail(len(values), _tail(confidence))
    return Interval(median(averages), averages[outside], averages[-1 - outside])


def median_interval(values: Iterable[float], confidence: float = 0.95) -> Interval:
    """Return the median, and the order statistics that hold the true one with ``confidence``.

    Exact (binomial), whatever the distribution: the interval of the sign test (Thompson 1936, Ann.
    Math. Statist. 7; HWC 3.6). Where there are too few values for the confidence
    (``max_confidence``), it is their full range: of fewer than 6 values for 95 %. Raises ValueError
    for a confidence that is not between 0 and 1.
    """
    ordered = sorted(_checked(values))
    outside = _binomial_tail(len(ordered), _tail(confidence))
    return Interval(median(ordered), ordered[outside], ordered[-1 - outside])


def max_confidence(n: int) -> float:
    """Return the confidence that the full range of ``n`` values has of holding their median.

    The same for both intervals above: 1 − 2·2⁻ⁿ, as all values lie on one side with P = 2⁻ⁿ.
    """
    return 1.0 - 2.0 ** (1 - n) if n > 0 else 0.0


def robust_relative_sd(values: Iterable[float]) -> float:
    """Return 1.4826·MAD/median, a share.

    The factor makes the median absolute deviation of normal values their standard deviation (Hampel
    1974, J. Am. Statist. Assoc. 69). Raises ValueError where the median is not positive.
    """
    checked = _checked(values)
    centre = median(checked)
    if centre <= 0:
        raise ValueError(f"a relative deviation needs a positive median, not {centre}")
    return MAD_TO_SD * median(abs(x - centre) for x in checked) / centre


def sign_test(one: int, other: int) -> float:
    """Return the two-sided P of counts at least as uneven, if both were as likely.

    Twice the binomial tail of ``min(one, other)`` in ``one + other``, at most 1 (HWC 3.4). Raises
    ValueError for a negative count.
    """
    if min(one, other) < 0:
        raise ValueError(f"counts must not be negative, not {one} and {other}")
    n = one + other
    below = sum(math.comb(n, k) for k in range(min(one, other) + 1))
    return min(1.0, math.ldexp(2 * below, -n))


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the ``percent`` (0 to 100) percentile, linear between order statistics as in numpy.

    Definition 7 of Hyndman & Fan 1996, American Statistician 50. Raises ValueError for another
    ``percent``.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile is between 0 and 100, not {percent}")
    ordered = sorted(_checked(values))
    place = percent / 100 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def fit_trend(values: Iterable[float]) -> Trend:
    """Return Theil's line, and Kendall's test of it against no order at all.

    The slope is the median of the slopes of all pairs (Theil 1950; HWC 9.2), the test's statistic
    the number of rising pairs less that of falling ones (Kendall 1938, Biometrika 30; HWC 8.1);
    above EXACT_KENDALL_N values with a normal limit. Raises ValueError where the median is not
    positive.
    """
    ordered = _checked(values)
    centre = median(ordered)
    if centre <= 0:
        raise ValueError(f"a relative change needs a positive median, not {centre}")
    if len(ordered) < 2:
        return Trend(0.0, 1.0)
    pairs = list(combinations(range(len(ordered)), 2))
    slope = median((ordered[j] - ordered[i]) / (j - i) for i, j in pairs)
    score = sum(_sign(ordered[j] - ordered[i]) for i, j in pairs)
    return Trend(slope * (len(ordered) - 1) / centre, _kendall_p(len(ordered), score))


def _checked(values: Iterable[float]) -> list[float]:
    checked = [float(x) for x in values]
    if not checked:
        raise ValueError("no values")
    if not all(math.isfinite(x) for x in checked):
        raise ValueError("values must be finite")
    return checked


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is between 0 and 1, not {confidence}")
    # 1 - 0.9 is 0.09999…: without the allowance an attainable level is missed by a rounding.
    return (1 - confidence) / 2 * (1 + 1e-12)


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _walsh_averages(values: Sequence[float]) -> list[float]:
    return [x / 2 + y / 2 for x, y in combinations_with_replacement(values, 2)]


def _signed_rank_tail(n: int, tail: float) -> int:
    """Return how many Walsh averages to leave out at each end.

    The largest k with P(T ≤ k) ≤ tail, T being the signed-rank statistic.
    """
    if n > EXACT_SIGNED_RANK_N:
        mean, variance = n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24
        return max(0, math.floor(mean + NormalDist().inv_cdf(tail) * math.sqrt(variance) - 0.5))
    return _left_out(_signed_rank_counts(n), tail * 2**n)


@cache
def _signed_rank_counts(n: int) -> tuple[int, ...]:
    """Return in how many of the 2ⁿ sign patterns the positive ranks sum to 0, 1, 2 and so on."""
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for total, count in enumerate(counts):
            longer[total + rank] += count
        counts = longer
    return tuple(counts)


def _binomial_tail(n: int, tail: float) -> int:
    """Return how many order statistics to leave out at each end.

    The largest k with P(B ≤ k) ≤ tail, B being binomial with n trials of one half.
    """
    return _left_out((math.comb(n, k) for k in range(n // 2 + 1)), tail * 2**n)


def _left_out(counts: Iterable[int], allowed: float) -> int:
    return max(0, sum(1 for below in accumulate(counts) if below <= allowed) - 1)


def _kendall_p(n: int, score: int) -> float:
    """Return the two-sided P(|S| ≥ |score|) of n values in random order.

    Ties make it conservative.
    """
    if n > EXACT_KENDALL_N:
        variance = n * (n - 1) * (2 * n + 5) / 18
        return 2 * NormalDist().cdf(-max(0, abs(score) - 1) / math.sqrt(variance))
    most = n * (n - 1) // 2
    inversions = (most - abs(score)) // 2
    below = sum(_inversion_counts(n)[: inversions + 1])
    return min(1.0, 2 * below / math.factorial(n))


@cache
def _inversion_counts(n: int) -> tuple[int, ...]:
    """Return how many of the n! orders have 0, 1, 2 and so on inversions."""
    counts = [1]
    for size in range(2, n + 1):
        sums = [0, *accumulate(counts)]
        top = len(sums) - 1
        counts = [
            sums[min(k + 1, top)] - sums[max(0, k + 1 - size)]
            for k in range(len(counts) + size - 1)
        ]
    return tuple(counts)
