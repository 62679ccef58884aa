"""The statistics against scipy, textbook tables and brute force."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostdeploy.stats import launches as stats

scipy_stats = pytest.importorskip("scipy.stats")
numpy = pytest.importorskip("numpy")

finite = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
samples = st.lists(finite, min_size=1, max_size=30)
positive = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30)


def normal_sample(n: int, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(10, 2) for _ in range(n)]


# n, level (two-sided) and the signed-rank critical value: reject where T ≤ it. Standard table.
CRITICAL = [
    (6, 0.05, 0),
    (7, 0.05, 2),
    (8, 0.05, 3),
    (10, 0.05, 8),
    (10, 0.01, 3),
    (16, 0.05, 29),
    (20, 0.05, 52),
    (20, 0.01, 37),
    (24, 0.05, 81),
    (24, 0.01, 61),
    (30, 0.05, 137),
    (50, 0.05, 434),
]


@pytest.mark.parametrize(("n", "alpha", "critical"), CRITICAL)
def test_signed_rank_interval_leaves_out_the_tabulated_number(n, alpha, critical):
    values = normal_sample(n)
    averages = sorted((x + y) / 2 for i, x in enumerate(values) for y in values[i:])
    got = stats.signed_rank_interval(values, 1 - alpha)
    assert got.lower == pytest.approx(averages[critical])
    assert got.upper == pytest.approx(averages[-critical - 1])


@pytest.mark.parametrize("n", [6, 9, 13, 20, 40])
@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.98])
def test_signed_rank_interval_is_where_scipys_exact_test_turns(n, confidence):
    values = normal_sample(n, seed=n)
    got = stats.signed_rank_interval(values, confidence)

    def p(shift):
        return scipy_stats.wilcoxon([x - shift for x in values], method="exact").pvalue

    for bound, outward in ((got.lower, -1e-7), (got.upper, 1e-7)):
        if got.lower == min(values):  # the full range: nothing lies outside to be rejected
            continue
        assert p(bound + outward) <= 1 - confidence + 1e-12
        assert p(bound - outward) > 1 - confidence


def test_distribution_is_that_of_all_sign_patterns():
    for n in range(1, 11):
        sums = [
            sum(rank for rank, sign in enumerate(signs, 1) if sign)
            for signs in itertools.product((0, 1), repeat=n)
        ]
        assert list(stats._signed_rank_counts(n)) == [
            sums.count(total) for total in range(n * (n + 1) // 2 + 1)
        ]


def test_normal_limit_joins_the_exact_distribution(monkeypatch):
    exact = stats._signed_rank_tail(100, 0.005)
    monkeypatch.setattr(stats, "EXACT_SIGNED_RANK_N", 10)
    assert stats._signed_rank_tail(100, 0.005) == pytest.approx(exact, abs=12)
    assert stats._signed_rank_tail(100, 0.005) != 0


@pytest.mark.parametrize("n", [99, 100, 101, 120, 200])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_normal_limit_is_next_to_the_exact_one(n, confidence):
    """The exact distribution as the convolution of n coins, rank by rank."""
    ways = numpy.ones(1)
    for rank in range(1, n + 1):
        longer = numpy.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    exact = int((ways.cumsum() <= (1 - confidence) / 2).sum()) - 1
    values = normal_sample(n, seed=n)
    averages = sorted((x + y) / 2 for i, x in enumerate(values) for y in values[i:])
    got = stats.signed_rank_interval(values, confidence)
    below = sum(x < got.lower - 1e-12 for x in averages)
    above = sum(x > got.upper + 1e-12 for x in averages)
    assert below == above
    if n <= 100:
        assert below == exact
    assert -1 <= exact - below <= 0.06 * n  # a little wider far out in the tails


@pytest.mark.parametrize("n", [101, 102, 150])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.998])
def test_above_100_values_the_normal_limit_is_corrected_for_continuity(n, confidence):
    """HWC 3.1: T is normal with mean n(n+1)/4; P(T ≤ k) is its P(T ≤ k + ½)."""
    rank_sum = scipy_stats.norm(n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    values = normal_sample(n, seed=n)
    averages = sorted(x / 2 + y / 2 for i, x in enumerate(values) for y in values[i:])
    outside = averages.index(stats.signed_rank_interval(values, confidence).lower)
    tail = (1 - confidence) / 2
    assert rank_sum.cdf(outside + 0.5) <= tail < rank_sum.cdf(outside + 1.5)


def test_an_attainable_confidence_is_attained():
    """P(at most 1 of 8 heads) is 9/256: leaving out one value a side has 1 - 18/256 exactly."""
    values = [float(n) for n in range(8)]
    at = stats.median_interval(values, 1 - 18 / 256)
    assert (at.lower, at.upper) == (1.0, 6.0)
    above = stats.median_interval(values, 1 - 18 / 256 + 1e-6)
    assert (above.lower, above.upper) == (0.0, 7.0)
    # 4 of 5 values: P(T <= 0) is 1/32
    assert stats.signed_rank_interval(values[:5], 1 - 2 / 32).lower == 0.0


def test_hodges_lehmann_of_known_values():
    # Hollander & Wolfe, example 3.1 (Hamilton depression scale, differences): estimate -0.46
    d = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010]
    assert stats.hodges_lehmann(d) == pytest.approx(-0.46, abs=0.005)
    assert stats.hodges_lehmann([3.0]) == 3.0
    assert stats.hodges_lehmann([1, 2, 10]) == statistics.median([1, 1.5, 5.5, 2, 6, 10])


@given(samples, finite)
def test_hodges_lehmann_moves_with_the_values(values, shift):
    moved = stats.hodges_lehmann([x + shift for x in values])
    assert moved == pytest.approx(stats.hodges_lehmann(values) + shift, abs=1e-3)
    flipped = stats.hodges_lehmann([-x for x in values])
    assert flipped == pytest.approx(-stats.hodges_lehmann(values), abs=1e-6)


@given(samples, st.floats(0.5, 0.999))
def test_intervals_hold_their_estimate_and_stay_in_the_range(values, confidence):
    for interval in (
        stats.signed_rank_interval(values, confidence),
        stats.median_interval(values, confidence),
    ):
        assert min(values) <= interval.lower <= interval.value <= interval.upper <= max(values)


@given(st.lists(finite, min_size=6, max_size=30))
def test_more_confidence_never_narrows(values):
    for function in (stats.signed_rank_interval, stats.median_interval):
        narrow, wide = function(values, 0.8), function(values, 0.99)
        assert wide.lower <= narrow.lower
        assert narrow.upper <= wide.upper


@pytest.mark.parametrize("n", range(1, 45))
@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_median_interval_is_the_tightest_symmetric_one_with_its_coverage(n, confidence):
    values = list(range(n))
    got = stats.median_interval(values, confidence)
    outside = int(got.lower)
    assert got.upper == n - 1 - outside
    assert got.value == statistics.median(values)
    alpha = 1 - confidence
    if outside:
        assert 2 * scipy_stats.binom.cdf(outside, n, 0.5) <= alpha + 1e-9
    assert 2 * scipy_stats.binom.cdf(outside + 1, n, 0.5) > alpha - 1e-9


def test_median_interval_agrees_with_scipys_quantile_test():
    values = normal_sample(25)
    theirs = scipy_stats.quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    got = stats.median_interval(values, 0.95)
    assert (got.lower, got.upper) == (theirs.low, theirs.high)


@pytest.mark.parametrize("n", range(1, 12))
def test_the_full_range_misses_the_median_where_all_are_on_one_side(n):
    one_sided = scipy_stats.binom.pmf(0, n, 0.5)
    assert stats.max_confidence(n) == pytest.approx(1 - 2 * one_sided)


@given(st.integers(0, 200), st.integers(0, 200))
def test_sign_test_is_scipys_binomial_test(one, other):
    theirs = scipy_stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert stats.sign_test(one, other) == pytest.approx(theirs, rel=1e-6)


def test_sign_test_refuses_a_negative_count():
    with pytest.raises(ValueError, match="must not be negative"):
        stats.sign_test(-1, 3)


def test_mads_factor_is_the_normal_quartiles():
    assert pytest.approx(1 / scipy_stats.norm.ppf(0.75), abs=5e-5) == stats.MAD_TO_SD


@pytest.mark.parametrize(("n", "share"), [(1, 0.0), (2, 0.5), (5, 0.9375), (6, 0.96875)])
def test_max_confidence(n, share):
    assert stats.max_confidence(n) == share


def test_too_few_values_give_the_full_range():
    values = [3.0, 1.0, 2.0, 7.0, 5.0]
    for function in (stats.signed_rank_interval, stats.median_interval):
        assert (function(values, 0.95).lower, function(values, 0.95).upper) == (1.0, 7.0)
        assert function([4.0], 0.95) == stats.Interval(4.0, 4.0, 4.0)
    # six are just enough, and then too it is the range
    assert stats.median_interval([*values, 9.0], 0.95).upper == 9.0
    assert stats.median_interval([*values, 9.0], 0.75).upper == 7.0


@pytest.mark.parametrize("n", [6, 10, 20])
def test_median_interval_covers_a_skewed_truth_as_often_as_it_says(n):
    rng = random.Random(n)
    covered = 0
    for _ in range(1000):
        interval = stats.median_interval([rng.expovariate(1) for _ in range(n)], 0.95)
        covered += interval.lower <= math.log(2) <= interval.upper
    assert 930 <= covered <= 995  # 95 % or, being exact, a little more; ± 3 deviations


@given(positive)
def test_robust_relative_sd_is_scipys_mad(values):
    mad = scipy_stats.median_abs_deviation(values)
    expected = 1.4826 * mad / statistics.median(values)
    assert stats.robust_relative_sd(values) == pytest.approx(expected)


def test_robust_relative_sd_estimates_the_deviation_and_ignores_an_outlier():
    rng = random.Random(5)
    values = [rng.gauss(100, 3) for _ in range(2000)]
    assert stats.robust_relative_sd(values) == pytest.approx(0.03, rel=0.1)
    assert stats.robust_relative_sd([*values, 1e9]) == pytest.approx(0.03, rel=0.1)


@given(samples, st.floats(0, 100))
def test_percentile_is_numpys(values, percent):
    expected = float(numpy.percentile(values, percent))
    assert stats.percentile(values, percent) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", [3, 5, 8, 12])
def test_trend_is_scipys_theil_slope_and_kendall_test(n):
    values = normal_sample(n, seed=n)
    got = stats.fit_trend(values)
    slope = scipy_stats.theilslopes(values).slope
    assert got.change == pytest.approx(slope * (n - 1) / statistics.median(values))
    theirs = scipy_stats.kendalltau(range(n), values, method="exact").pvalue
    assert got.p_value == pytest.approx(theirs)


def test_trend_of_a_line_of_a_constant_and_of_long_series():
    line = stats.fit_trend([100.0 + x for x in range(11)])
    assert line.change == pytest.approx(10 / 105)
    assert line.p_value == pytest.approx(2 / math.factorial(11))
    assert stats.fit_trend([5.0] * 8) == stats.Trend(0.0, 1.0)
    assert stats.fit_trend([5.0]) == stats.Trend(0.0, 1.0)
    values = normal_sample(stats.EXACT_KENDALL_N + 1)
    theirs = scipy_stats.kendalltau(range(len(values)), values, method="asymptotic").pvalue
    assert stats.fit_trend(values).p_value == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize("n", [59, 60, 61, 62, 90, 130])
@pytest.mark.parametrize("slope", [0.0, 0.01, -0.02])
def test_kendalls_normal_limit_is_next_to_the_exact_p(n, slope):
    """With a correction for continuity, which scipy's asymptotic P lacks: scipy's exact one."""
    rng = random.Random(n)
    values = [10 + slope * i + rng.gauss(0, 1) for i in range(n)]
    theirs = scipy_stats.kendalltau(range(n), values, method="exact").pvalue
    got = stats.fit_trend(values).p_value
    if n <= 60:
        assert got == pytest.approx(theirs, rel=1e-9)
    elif theirs > 0.1:
        assert got == pytest.approx(theirs, rel=0.005)
    else:  # conservative far out in the tail
        assert theirs < got < 1.2 * theirs + 1e-5


@pytest.mark.parametrize("n", [61, 62, 100])
def test_above_60_values_kendalls_test_is_normal_with_a_correction(n):
    """HWC 8.1: S has the variance n(n-1)(2n+5)/18, and steps of 2."""
    values = normal_sample(n, seed=n)
    tau = scipy_stats.kendalltau(range(n), values).statistic
    score = abs(round(tau * n * (n - 1) / 2))
    spread = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    expected = 2 * scipy_stats.norm.sf(max(score - 1, 0) / spread)
    assert stats.fit_trend(values).p_value == pytest.approx(expected, rel=1e-9)


def test_no_order_at_all_is_no_trend_however_long():
    """As many rising pairs as falling ones: P is 1."""
    for half in (4, 32):
        there_and_back = [10.0 + n for n in range(half)]
        values = [*there_and_back, *reversed(there_and_back)]
        assert stats.fit_trend(values) == stats.Trend(0.0, 1.0)


def test_a_trend_of_two_values():
    assert stats.fit_trend([10.0, 30.0]) == stats.Trend(1.0, 1.0)
    assert stats.fit_trend([0.25, 0.75]) == stats.Trend(1.0, 1.0)


@pytest.mark.parametrize(
    "function",
    [
        stats.hodges_lehmann,
        stats.signed_rank_interval,
        stats.median_interval,
        stats.robust_relative_sd,
        stats.fit_trend,
        lambda values: stats.percentile(values, 50),
    ],
)
@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf, 1.0]])
def test_no_or_unusable_values_are_refused(function, values):
    with pytest.raises(ValueError, match=r"no values|must be finite"):
        function(values)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, math.nan])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        stats.median_interval([1.0, 2.0], confidence)
    with pytest.raises(ValueError, match="confidence"):
        stats.signed_rank_interval([1.0, 2.0], confidence)


def test_relative_measures_need_a_positive_median():
    for function in (stats.robust_relative_sd, stats.fit_trend):
        with pytest.raises(ValueError, match="positive median"):
            function([-1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="between 0 and 100"):
        stats.percentile([1.0], 101)
