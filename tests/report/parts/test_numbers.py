"""Numbers as they are written."""

from __future__ import annotations

import math

import pytest

from ghostdeploy.report.parts.numbers import (
    ABSENT,
    WrittenNumber,
    drop_non_finite,
    format_as_printed,
    format_interval,
    format_limits,
    format_megabytes,
    format_millions,
    format_number,
    format_percent,
    format_range,
    format_ratio,
    format_scientific,
)
from ghostdeploy.schema import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.4123, "7.412"),
        (31.1, "31.10"),
        (1018.44, "1018"),
        (0.056789, "0.05679"),
        (0, "0.000"),
        (None, ABSENT),
        (float("nan"), ABSENT),
    ],
)
def test_four_significant_digits(value: float | None, text: str) -> None:
    assert format_number(value) == text


def test_limits_have_the_digits_of_their_value() -> None:
    assert format_interval(Interval(99.95, 98.1, 101.234)) == "99.95 [98.10, 101.23]"
    assert format_interval(Interval(1.5, float("-inf"), float("nan")), 3) == "1.50 [?, ?]"


def test_limits_alone_have_four_digits_too() -> None:
    assert format_limits(Interval(99.95, 98.1, 101.234)) == "[98.10, 101.23]"


def test_behind_a_number_are_all_its_digits() -> None:
    shown = format_number(7.412345678)
    assert isinstance(shown, WrittenNumber)
    assert (shown, shown.value, shown.exact) == ("7.412", 7.412345678, "7.412345678")
    told = [
        (format_millions(6_156_908), "6156908"),
        (format_megabytes(20_740_123), "20740123 bytes"),
        (format_percent(0.123456), "12.3456 %"),
        (format_ratio(Interval(1.3234, 1.27, 1.371)), "1.3234 [1.27, 1.371]"),
        (format_range([2.54, 1.03], "s"), "1.03 … 2.54 s"),
    ]
    assert [text.exact for text, _ in told] == [exact for _, exact in told]


def test_the_papers_numbers_gain_no_digits() -> None:
    assert [format_as_printed(x) for x in (31.1, 37.0, 75.3)] == ["31.1", "37", "75.3"]


def test_small_numbers() -> None:
    assert format_millions(6_156_908) == "6.157"
    assert format_percent(0.0061) == "0.61 %"
    assert format_range([1.0, None, 2.5], "s") == "1.0 … 2.5 s"
    assert format_range([None]) == ABSENT


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (9.9996, 4, "10.000"), (-7.4123, 4, "-7.412"), (123456.7, 4, "123457"), (1.5, 1, "2"),
        (0.000001234, 4, "0.000001"), (0.00012345, 4, "0.000123"), (1.0, 3, "1.00"),
        (10.0, 3, "10.0"), (100.0, 3, "100"), (0, 1, "0"), (math.inf, 4, ABSENT),
    ],
)  # fmt: skip
def test_significant_digits_without_an_exponent(value: float, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


def test_units() -> None:
    """A megabyte is 10⁶ bytes, a percent a hundredth."""
    assert format_megabytes(20_740_000) == "20.74"
    assert format_megabytes(None) == format_millions(None) == format_percent(None) == ABSENT
    assert format_percent(1.0) == "100 %"
    assert format_percent(0.25, 3) == "25.0 %"
    assert format_percent(math.inf) == ABSENT
    assert format_ratio(Interval(1.3234, 1.27, 1.371)) == "1.32 [1.27, 1.37]"
    assert [format_scientific(x) for x in (1.23456e-6, 0.0, None, math.nan, math.inf)] == [
        "1.2e-06", "0", ABSENT, "nan", "inf",
    ]  # fmt: skip


def test_ranges_and_what_is_no_number() -> None:
    assert format_range([2.5, 1.0], "s", 2) == "1.00 … 2.50 s"
    assert format_range([1.01, 1.04]) == "1.0"
    assert format_range([math.nan, 3.0, math.inf], "MB") == "3.0 MB"
    estimate = Interval(1.0, 0.5, 2.0)
    assert drop_non_finite(estimate) == estimate
    assert drop_non_finite(Interval(math.nan, 0.5, 2.0)) is None
    assert drop_non_finite(None) is None
    assert format_interval(None) == format_interval(Interval(math.nan, 0, 1)) == ABSENT
    assert format_as_printed(None) == format_as_printed(math.nan) == ABSENT
    assert format_as_printed(1234567.0) == "1.23457e+06"
