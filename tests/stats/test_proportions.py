"""Wilson's interval and McNemar's test against scipy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ghostdeploy.schema import Interval
from ghostdeploy.stats import proportions


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts):
    right, total = counts
    theirs = binomtest(right, total).proportion_ci(0.95, method="wilson")
    ours = proportions.wilson_interval(right, total)
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.value == right / total


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_wilson_at_other_confidences(confidence):
    theirs = binomtest(7, 20).proportion_ci(confidence, method="wilson")
    ours = proportions.wilson_interval(7, 20, confidence)
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(first, second):
    theirs = binomtest(first, first + second).pvalue if first + second else 1.0
    assert proportions.mcnemar_exact(first, second) == pytest.approx(theirs, rel=1e-6)


def test_the_difference_by_hand():
    # 10 lost, 4 won of 100: −0.06 ± 1.96·√(14 − 36/100)/100
    found = proportions.difference_interval(10, 4, 100)
    assert found.value == -0.06
    assert (found.lower, found.upper) == pytest.approx((-0.13239, 0.01239), abs=1e-5)


def test_one_image_says_something():
    assert proportions.wilson_interval(1, 1).value == 1.0
    assert proportions.difference_interval(0, 1, 1) == Interval(1.0, 1.0, 1.0)
    assert proportions.difference_interval(1, 0, 1) == Interval(-1.0, -1.0, -1.0)


def test_a_share_is_never_below_0_or_above_1():
    """Where all or none are right, rounding would carry the limit beyond."""
    for total in range(1, 300):
        none, every = (proportions.wilson_interval(right, total) for right in (0, total))
        assert 0.0 <= none.lower < 1e-15
        assert 1.0 - 1e-15 < every.upper <= 1.0


def test_nothing_seen_says_nothing():
    assert proportions.wilson_interval(0, 0) == Interval(0.0, 0.0, 1.0)
    assert proportions.difference_interval(0, 0, 0) == Interval(0.0, -1.0, 1.0)


def test_no_discordant_pair_is_no_difference():
    assert proportions.difference_interval(0, 0, 100) == Interval(0.0, 0.0, 0.0)
