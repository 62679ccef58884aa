"""Find what speaks against a launch: the states before and after it, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from android_bench.device.cpufreq import CpuFreq
from android_bench.device.state import State
from android_bench.device.thermal import name_status

MIN_BATTERY_PERCENT = 25  # Jetpack Benchmark's floor
KILLED = (137, -9)  # as a shell and as Python report SIGKILL
_WHEN = ("before", "after")


def find_evidence(
    before: State,
    after: State,
    *,
    cpus: Collection[int] = (),
    returncode: int | None = None,
    max_thermal_status: int = 0,
    min_battery_percent: int = MIN_BATTERY_PERCENT,
    fixed_performance: bool = False,
) -> tuple[str, ...]:
    """Return the reasons why a launch between two states is invalid, () if there are none.

    ``cpus`` are those that it ran on, () for all. In fixed-performance mode a lowered frequency
    cap is the point, and only one that changes counts. What the device does not tell is no
    evidence.
    """
    both = (before, after)
    return (
        *_death(returncode, after, before),
        *_reboot(before, after),
        *_heat(both, max_thermal_status),
        *_caps(both, cpus, fixed_performance),
        *_low_battery(both, min_battery_percent),
    )


def find_oddities(state: State) -> tuple[str, ...]:
    """Return, for a warning, what makes a state less telling than it looks but proves nothing."""
    found = []
    if state.battery.updates_stopped:
        found.append("the battery's values are frozen; run: adb shell dumpsys battery reset")
    if state.wakefulness not in (None, "Awake"):
        found.append("the screen is off, which lowers the clocks of some phones")
    return tuple(found)


def _death(returncode: int | None, *states: State) -> Iterable[str]:
    if returncode in KILLED:
        amounts = (state.mem_available_mb for state in states)
        amount = next((mb for mb in amounts if mb is not None), None)
        yield "killed" + ("" if amount is None else f", {amount:.0f} MB available")


def _reboot(before: State, after: State) -> Iterable[str]:
    if before.boot_id and after.boot_id:
        rebooted = before.boot_id != after.boot_id
    else:
        times_s = (before.uptime_s, after.uptime_s)
        rebooted = times_s[0] is not None and times_s[1] is not None and times_s[1] < times_s[0]
    if rebooted:
        yield "the device was rebooted"


def _heat(states: Sequence[State], most: int) -> Iterable[str]:
    if any(state.thermal_overridden for state in states):
        yield ("the thermal status is overridden by hand; run: adb shell cmd thermalservice reset")
    for when, state in zip(_WHEN, states, strict=True):
        status = state.thermal_status
        if status is not None and status > most:
            yield f"throttled: thermal status {name_status(status)} {when} the launch"


def _caps(states: Sequence[State], cpus: Collection[int], fixed: bool) -> Iterable[str]:
    usual = {freq.cpus: freq.cap_khz for freq in states[0].freqs}
    for when, state in zip(_WHEN, states, strict=True):
        for freq in _used(state.freqs, cpus):
            top = usual.get(freq.cpus) if fixed else freq.max_khz
            if freq.cap_khz and top and freq.cap_khz < top:
                names = ", ".join(map(str, freq.cpus))
                yield (
                    f"capped: CPUs {names} may run at {freq.cap_khz / 1e6:.2f}"
                    f" of {top / 1e6:.2f} GHz {when} the launch"
                )


def _used(freqs: Iterable[CpuFreq], cpus: Collection[int]) -> Iterable[CpuFreq]:
    return (freq for freq in freqs if not cpus or set(freq.cpus) & set(cpus))


def _low_battery(states: Sequence[State], floor: int) -> Iterable[str]:
    for when, state in zip(_WHEN, states, strict=True):
        level = read_battery_percent(state)
        if level is not None and level < floor:
            yield f"the battery is at {level} %, below {floor} %, {when} the launch"


def read_battery_percent(state: State) -> int | None:
    """Read how full the battery is, in percent; None where it is not told, or frozen."""
    return None if state.battery.updates_stopped else state.battery.level_percent
