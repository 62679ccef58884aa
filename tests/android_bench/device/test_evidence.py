"""What speaks against a launch, and what only looks odd."""

from __future__ import annotations

from dataclasses import replace

import pytest

from android_bench.device.cpufreq import CpuFreq
from android_bench.device.evidence import find_evidence, find_oddities
from android_bench.device.state import State
from android_bench.device.values import Battery

LITTLE = CpuFreq((0, 1, 2, 3), 1_000_000, 1_800_000, 1_800_000)
BIG = CpuFreq((4, 5), 2_600_000, 2_600_000, 2_600_000)
GOOD = State(
    thermal_status=0, battery=Battery(84, 32.6, ("USB",)), freqs=(LITTLE, BIG),
    mem_available_mb=512.4, boot_id="a", uptime_s=100.0,
)  # fmt: skip
CAPPED = replace(BIG, cap_khz=1_900_000)


@pytest.mark.parametrize(
    ("after", "options", "reason"),
    [
        ({}, {}, ()),
        ({"thermal_status": 2}, {}, "throttled: thermal status 2 (moderate) after the launch"),
        ({"thermal_status": 1}, {"max_thermal_status": 1}, ()),
        (
            {"freqs": (LITTLE, CAPPED)},
            {"cpus": (5,)},
            "capped: CPUs 4, 5 may run at 1.90 of 2.60 GHz after the launch",
        ),
        ({"freqs": (LITTLE, CAPPED)}, {"cpus": (0,)}, ()),
        ({"battery": Battery(20)}, {}, "the battery is at 20 %, below 25 %, after the launch"),
        ({"battery": Battery(20)}, {"min_battery_percent": 20}, ()),
        ({"battery": Battery(20, updates_stopped=True)}, {}, ()),
        ({"boot_id": "b"}, {}, "the device was rebooted"),
        ({"boot_id": None, "uptime_s": 7.0}, {}, "the device was rebooted"),
        ({"boot_id": None, "uptime_s": 170.0}, {}, ()),
        ({}, {"returncode": 137}, "killed, 512 MB available"),
        ({"mem_available_mb": 34.6}, {"returncode": -9}, "killed, 35 MB available"),
        ({}, {"returncode": 1}, ()),
        (
            {"thermal_status": None, "thermal_overridden": True},
            {},
            "the thermal status is overridden by hand; run: adb shell cmd thermalservice reset",
        ),
    ],
)
def test_evidence(after, options, reason):
    expected = (reason,) if isinstance(reason, str) else reason
    assert find_evidence(GOOD, replace(GOOD, **after), **options) == expected


def test_silence_is_no_evidence():
    assert find_evidence(State(), State()) == ()
    assert find_evidence(State(), State(), returncode=137) == ("killed",)


def test_a_lowered_cap_is_the_point_of_fixed_performance():
    before = replace(GOOD, freqs=(CAPPED,))
    assert find_evidence(before, before, fixed_performance=True) == ()
    assert find_evidence(before, before) == tuple(
        f"capped: CPUs 4, 5 may run at 1.90 of 2.60 GHz {when} the launch"
        for when in ("before", "after")
    )
    lower = replace(GOOD, freqs=(replace(BIG, cap_khz=1_500_000),))
    (reason,) = find_evidence(before, lower, fixed_performance=True)
    assert "1.50 of 1.90 GHz after" in reason


def test_oddities():
    assert find_oddities(GOOD) == ()
    odd = replace(GOOD, battery=Battery(updates_stopped=True), wakefulness="Dozing")
    assert ["frozen" in text or "screen" in text for text in find_oddities(odd)] == [True, True]


def test_the_least_throttling_and_an_uptime_that_is_not_told():
    (reason,) = find_evidence(GOOD, replace(GOOD, thermal_status=1))
    assert reason == "throttled: thermal status 1 (light) after the launch"
    without = replace(GOOD, boot_id=None)
    assert find_evidence(without, replace(without, uptime_s=None)) == ()
    assert find_evidence(replace(without, uptime_s=None), without) == ()
    assert find_evidence(without, without) == ()  # a clock that stands still is no reboot
