"""Wait until a device is cool, by measurement and for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from android_bench.device.evidence import MIN_BATTERY_PERCENT, read_battery_percent
from android_bench.device.shell import Shell
from android_bench.device.state import State, read_state
from android_bench.device.thermal import name_status
from android_bench.device.workload import THROTTLED, Workload, measure_slowdown
from android_bench.errors import OptionError

POLL_S = 10.0


@dataclass(frozen=True)
class CoolDown:
    """A wait ended like this; ``why_not`` is "" where the device is fit to measure.

    ``slowdown`` is of the micro-workload, None where none was needed.
    """

    waited_s: float
    state: State
    why_not: str = ""
    slowdown: float | None = None


@dataclass(frozen=True)
class _Obstacle:
    reason: str
    passes: bool  # by waiting


def wait_until_cool(
    shell: Shell,
    *,
    max_thermal_status: int = 0,
    max_temp_c: float | None = None,
    min_battery: int = MIN_BATTERY_PERCENT,
    timeout_s: float = 600.0,
    poll_s: float = POLL_S,
    workload: Workload | None = None,
    on_wait: Callable[[str, float], None] = lambda reason, waited_s: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CoolDown:
    """Wait until status, temperature (°C) and battery (%) allow a measurement.

    ``on_wait`` gets the reason and the seconds waited so far, once a poll. A device that tells no
    thermal status is judged by ``workload``, if that is given. What waiting cannot mend (a low
    battery that is not charging, a status overridden by hand) ends the wait at once. No time is
    lost on a device that is cool already; ``timeout_s`` 0 looks once.

    Raises OptionError for times that are not 0 or more, and whatever ``shell`` raises.
    """
    if not (timeout_s >= 0 and poll_s > 0):
        raise OptionError(f"cannot wait {timeout_s:g} s by steps of {poll_s:g} s")
    started = clock()
    while True:
        state = read_state(shell)
        obstacle = _look(state, max_thermal_status, max_temp_c, min_battery)
        slow = None
        if obstacle is None and workload and state.thermal_status is None:
            slow = measure_slowdown(shell, workload)
            obstacle = _too_slow(slow)
        waited_s = clock() - started
        if obstacle is None:
            return CoolDown(waited_s, state, slowdown=slow)
        if not obstacle.passes:
            return CoolDown(waited_s, state, obstacle.reason, slow)
        if waited_s >= timeout_s:
            return CoolDown(waited_s, state, f"{obstacle.reason}, after {waited_s:.0f} s", slow)
        on_wait(obstacle.reason, waited_s)
        sleep(min(poll_s, timeout_s - waited_s))


def _look(
    state: State, max_thermal_status: int, max_temp_c: float | None, min_battery: int
) -> _Obstacle | None:
    level, status, temp_c = read_battery_percent(state), state.thermal_status, state.max_temp_c
    if state.thermal_overridden:
        mend = "run: adb shell cmd thermalservice reset"
        return _Obstacle(f"the thermal status is overridden by hand; {mend}", passes=False)
    if level is not None and level < min_battery:
        return _battery(level, min_battery, state.battery.plugged)
    if status is not None and status > max_thermal_status:
        return _Obstacle(f"the thermal status is {name_status(status)}", passes=True)
    if max_temp_c is not None and temp_c is not None and temp_c > max_temp_c:
        return _Obstacle(f"it is {temp_c:.1f} °C hot, above {max_temp_c:g} °C", passes=True)
    return None


def _battery(level: int, floor: int, plugged: tuple[str, ...] | None) -> _Obstacle:
    reason = f"the battery is at {level} %, below {floor} %"
    if plugged == ():
        return _Obstacle(f"{reason}, and not charging; plug it in", passes=False)
    return _Obstacle(reason, passes=True)


def _too_slow(slow: float | None) -> _Obstacle | None:
    if slow is None or slow <= THROTTLED:
        return None
    return _Obstacle(f"it is throttled: a test loop takes {slow:.2f} times as long", passes=True)
