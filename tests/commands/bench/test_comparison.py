"""Rows from records: medians, ratios of paired launches, and what cannot be compared."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import pytest

from ghostdeploy.commands.bench.comparison import compare_records, require_valid
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.stats import launches as stats
from tests.commands.bench.hand_made import DEVICE, record_of, steady


def test_pairing_by_round_removes_what_both_saw():
    weather = [1.0, 1.6, 1.1, 2.0, 0.9, 1.3, 1.7, 1.2, 1.05, 1.9]
    base = record_of([30 * w for w in weather], invalid=(5,))
    slower = record_of([30 * w * 1.05 for w in weather], invalid=(0, 3))
    first, second = compare_records([base, slower], ["V1", "V2"])
    assert (first.ratio.value, first.ratio.lower, first.ratio.upper) == (1.0, 1.0, 1.0)
    for value in (second.ratio.value, second.ratio.lower, second.ratio.upper):
        assert value == pytest.approx(1.05)
    assert first.latency_ms.upper / first.latency_ms.lower > 1.3  # unpaired, nothing is seen


def test_the_numbers_of_a_row():
    base, other = steady(seed=1), steady(seed=2, centre=40)
    first, second = compare_records([record_of(base), record_of(other)], ["a", "b"])
    assert (first.title, second.title) == ("a", "b")
    assert second.latency_ms == stats.median_interval(other, 0.95)
    assert second.latency_ms.value == statistics.median(other)
    assert second.noise == stats.robust_relative_sd(other)
    logs = [math.log(y / x) for x, y in zip(base, other, strict=True)]
    expected = stats.signed_rank_interval(logs, 0.95)
    assert second.ratio.lower == pytest.approx(math.exp(expected.lower))
    assert second.ratio.upper == pytest.approx(math.exp(expected.upper))
    assert second.ratio.value == pytest.approx(4 / 3, rel=0.01)
    assert first.advice == second.advice == ""
    wider = compare_records([record_of(base)], ["a"], confidence=0.99)[0].latency_ms
    assert wider.lower <= first.latency_ms.lower


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"session": "t"}, "not measured in one session with base: for a ratio run it and base"),
        ({"device": replace(DEVICE, serial="B")}, "measured on another device than base"),
        ({"invalid": tuple(range(9))}, "fewer than 2 rounds in common with base"),
    ],
)
def test_records_that_cannot_be_paired_get_no_ratio(other, says):
    rows = compare_records([record_of(steady()), record_of(steady(), **other)], ["base", "x"])
    assert rows[1].ratio is None
    assert says in rows[1].advice
    assert rows[1].latency_ms.value > 0
    assert rows[0].ratio is not None


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UsageError, match="2 titles"):
        compare_records([record_of(steady())], ["a", "b"])
    with pytest.raises(MeasurementError, match=r"m\.tflite: no launch was valid: too hot"):
        require_valid([record_of(steady()), record_of([1.0], invalid=(0,))])
    with pytest.raises(MeasurementError, match="it has no launches"):
        compare_records([record_of([])], ["a"])
    assert compare_records([], []) == []


def test_where_no_launch_counts_the_disturbed_ones_are_shown_and_marked():
    spoilt = record_of([31.0, 29.0, 30.0], invalid=range(3))
    quiet, noisy = compare_records([record_of(steady(3)), spoilt], ["a", "b"])
    assert (quiet.disturbed, noisy.disturbed) == (False, True)
    assert noisy.latency_ms.value == 30.0
    assert noisy.ratio is not None
    partly = record_of([31.0, 29.0, 30.0], invalid=(0, 1))
    (row,) = compare_records([partly], ["c"])
    assert (row.disturbed, row.latency_ms.value) == (False, 30.0)
