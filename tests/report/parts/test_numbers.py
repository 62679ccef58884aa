"""Numbers as they are written."""

from __future__ import annotations

import pytest

from ghostdeploy.report.parts.numbers import (
    ABSENT,
    format_as_printed,
    format_interval,
    format_millions,
    format_number,
    format_percent,
    format_range,
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


def test_the_papers_numbers_gain_no_digits() -> None:
    assert [format_as_printed(x) for x in (31.1, 37.0, 75.3)] == ["31.1", "37", "75.3"]


def test_small_numbers() -> None:
    assert format_millions(6_156_908) == "6.157"
    assert format_percent(0.0061) == "0.61 %"
    assert format_range([1.0, None, 2.5], "s") == "1.0 … 2.5 s"
    assert format_range([None]) == ABSENT
