"""Waiting for a cool device: by its state, and on old phones by a timed loop."""

from __future__ import annotations

import pytest

from android_bench.device.cooldown import wait_until_cool
from android_bench.device.workload import Workload
from android_bench.errors import OptionError
from tests.android_bench.device_phones import Replay, Result


class Clock:
    def __init__(self):
        self.now_s, self.sleeps = 0.0, []

    def __call__(self):
        return self.now_s

    def sleep(self, duration_s):
        self.sleeps.append(duration_s)
        self.now_s += duration_s


def thermal(status, override="false"):
    return {"thermal": f"IsStatusOverride: {override}\nThermal Status: {status}\n"}


def battery(level, plugged="true"):
    text = f"  AC powered: false\n  USB powered: {plugged}\n  level: {level}\n  scale: 100\n"
    return {**thermal(0), "battery": text}


def heat(celsius):
    return {**thermal(0), "zones": f"z0/type:cpu-0\nz0/temp:{celsius}\n"}


def wait(states, **options):
    clock, waits = Clock(), []
    result = wait_until_cool(
        Replay(states), clock=clock, sleep=clock.sleep,
        on_wait=lambda reason, waited_s: waits.append((reason, waited_s)),
        **{"timeout_s": 60.0, **options},
    )  # fmt: skip
    return result, clock, waits


def test_a_cool_phone_is_not_waited_for():
    result, clock, waits = wait([thermal(0)])
    assert not result.why_not
    assert (result.waited_s, clock.sleeps, waits) == (0.0, [], [])


def test_it_waits_with_a_reason_until_the_phone_is_cool():
    result, _, waits = wait([thermal(3), thermal(1), thermal(0)])
    assert (result.why_not, result.waited_s) == ("", 20.0)
    assert waits == [
        ("the thermal status is 3 (severe)", 0.0), ("the thermal status is 1 (light)", 10.0),
    ]  # fmt: skip


def test_it_does_not_wait_for_ever():
    result, clock, waits = wait([thermal(2)], timeout_s=25.0)
    assert result.why_not
    assert result.why_not == "the thermal status is 2 (moderate), after 25 s"
    assert clock.sleeps == [10.0, 10.0, 5.0]
    assert len(waits) == 3
    result, clock, _ = wait([thermal(2)], timeout_s=0.0)
    assert (bool(result.why_not), clock.sleeps) == (True, [])
    with pytest.raises(OptionError):
        wait([thermal(0)], timeout_s=float("nan"))


def test_it_waits_for_temperature_and_for_a_battery_that_charges():
    result, _, waits = wait([heat(48500), heat(39000)], max_temp_c=40.0)
    assert not result.why_not
    assert waits == [("it is 48.5 °C hot, above 40 °C", 0.0)]
    result, _, waits = wait([battery(24), battery(25)])
    assert not result.why_not
    assert waits == [("the battery is at 24 %, below 25 %", 0.0)]


def test_it_does_not_wait_for_what_waiting_cannot_mend():
    result, clock, _ = wait([battery(12, "false")])
    assert "not charging; plug it in" in result.why_not
    assert clock.sleeps == []
    result, clock, _ = wait([thermal(0, "true")])
    assert "overridden" in result.why_not
    assert clock.sleeps == []


class OldPhone(Replay):
    """No thermal status; the test loop takes these seconds."""

    def __init__(self, seconds):
        super().__init__([{}])
        self.seconds = list(seconds)

    def shell(self, command, timeout_s=30.0):
        if "gd:" in command:
            return super().shell(command, timeout_s)
        assert command.startswith("taskset c0 sh -c")
        took_s = self.seconds.pop(0)
        return Result(f"100.00 1.00\n{100 + took_s:.2f} 2.00\n".encode())


def test_an_old_phone_is_judged_by_a_test_loop():
    phone, clock, waits = OldPhone([1.3] * 3 + [1.5, 1.09, 1.2]), Clock(), []
    result = wait_until_cool(
        phone, workload=Workload(1000, "c0", 1.0), clock=clock, sleep=clock.sleep,
        on_wait=lambda reason, waited_s: waits.append(reason),
    )  # fmt: skip
    assert not result.why_not
    assert result.slowdown == pytest.approx(1.09)
    assert waits == ["it is throttled: a test loop takes 1.30 times as long"]
