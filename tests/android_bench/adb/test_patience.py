"""A phone that vanishes: how often something is tried, how long is waited, and what is told."""

from __future__ import annotations

import pytest

from android_bench import errors
from android_bench.adb import patience
from android_bench.adb.patience import Patience, repeat_patiently, wait_back

LOST = errors.ConnectionLostError("lost")


class Time:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Phone:
    """Is back after so many seconds; None: never."""

    serial = "X"

    def __init__(self, time: Time, away_s: float | None) -> None:
        self.time = time
        self.back = None if away_s is None else time.now + away_s

    def wait_online(self, timeout_s: float) -> None:
        if self.back is not None and self.back <= self.time.now + timeout_s:
            self.time.now = max(self.time.now, self.back)
            return
        self.time.now += timeout_s
        raise errors.UnknownSerialError("not attached")


@pytest.fixture
def time(monkeypatch) -> Time:
    found = Time()
    monkeypatch.setattr(patience, "time", found)
    return found


def failing(times: int, error: Exception = LOST):
    """What fails so often, then says how often it was tried."""
    tries = []

    def action() -> int:
        tries.append(1)
        if len(tries) <= times:
            raise error
        return len(tries)

    return action


def test_a_call_is_tried_twice(time):
    assert repeat_patiently(Phone(time, 3.0), failing(1), Patience(10.0, 2)) == 2
    with pytest.raises(errors.ConnectionLostError):
        repeat_patiently(Phone(time, 0.0), failing(2), Patience(10.0, 2))


def test_without_time_it_is_looked_for_once(time):
    assert repeat_patiently(Phone(time, 0.0), failing(1), Patience(0.0, 2)) == 2
    with pytest.raises(errors.ConnectionLostError):
        repeat_patiently(Phone(time, None), failing(1), Patience(0.0, 2))


def test_a_session_tries_as_often_as_fits(time):
    assert repeat_patiently(Phone(time, 0.0), failing(9), Patience(60.0)) == 10


def test_vanishing_each_time_ends_as_well(time):
    started = time.now
    with pytest.raises(errors.ConnectionLostError):
        repeat_patiently(Phone(time, 0.0), failing(1000), Patience(60.0))
    assert time.now - started == pytest.approx(60.0, abs=1.0)


def test_it_is_told_what_is_waited_for(time):
    told: list[str] = []
    with pytest.raises(errors.ConnectionLostError):
        repeat_patiently(Phone(time, None), failing(1), Patience(12.0, tell=told.append))
    assert told == [
        "X is gone; waiting 12 s for it to come back",
        "X is gone; waiting 6 s for it to come back",
        "X is gone; waiting 1 s for it to come back",
    ]


def test_other_errors_are_not_outlasted(time):
    with pytest.raises(errors.NoSpaceError):
        repeat_patiently(Phone(time, 0.0), failing(1, errors.NoSpaceError("")), Patience(60.0))
    damaged = errors.DamagedTransferError("")
    allowed = Patience(60.0, 2).also_after(errors.DamagedTransferError)
    assert repeat_patiently(Phone(time, 0.0), failing(1, damaged), allowed) == 2


def test_the_first_loss_is_what_is_raised(time):
    with pytest.raises(errors.ConnectionLostError):
        wait_back(Phone(time, None), LOST, Patience(5.0))
