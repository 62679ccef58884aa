"""The time left, from a clock of the test's own."""

from __future__ import annotations

import pytest

from ghostdeploy.cli.pace import Pace, format_clock


def test_the_time_left_at_a_steady_pace() -> None:
    pace = Pace(100.0)
    for step in range(1, 5):
        pace.advance(100.0 + 10 * step, step / 10)
    assert pace.left_s(140.0) == pytest.approx(60.0)
    assert pace.left_s(143.0) == pytest.approx(57.0)  # it ticks while a step runs


def test_nothing_is_told_before_anything_is_known_nor_once_it_took_longer() -> None:
    pace = Pace(0.0)
    assert pace.left_s(60.0) is None
    pace.advance(60.0, 0.9)
    assert pace.left_s(60.0) == pytest.approx(60 / 9)
    assert pace.left_s(90.0) is None


def test_what_was_there_already_is_no_pace() -> None:
    pace = Pace(0.0)
    pace.advance(0.01, 0.5)  # three exports of an earlier day
    for step in range(1, 6):
        pace.advance(10.0 * step, 0.5 + 0.05 * step)
    assert pace.left_s(50.0) == pytest.approx(50.0, rel=0.01)


def test_less_than_before_is_no_news() -> None:
    pace = Pace(0.0)
    pace.advance(10.0, 0.5)
    pace.advance(20.0, 0.1)
    assert pace.share == 0.5
    assert pace.left_s(12.0) == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (9.9, "0:09"), (65, "1:05"), (3600, "1:00:00"), (3725, "1:02:05")],
)
def test_clocks(seconds: float, shown: str) -> None:
    assert format_clock(seconds) == shown
