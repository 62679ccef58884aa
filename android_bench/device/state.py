"""Ask a device what state it is in, in one round trip.

Any part may be denied, missing or unknown to the system: it is None or empty then, and the rest is
read all the same. Nothing is assumed of Android: a Linux machine with a POSIX shell answers what it
can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from android_bench.device.cpufreq import READ_FREQS, CpuFreq, parse_freqs
from android_bench.device.shell import SECTIONS_TIMEOUT_S, Shell, run_sections
from android_bench.device.thermal import (
    Temperature,
    find_hottest_c,
    parse_thermalservice,
    parse_zones,
)
from android_bench.device.values import (
    Battery,
    parse_battery,
    parse_boot_id,
    parse_loadavg,
    parse_meminfo,
    parse_paths,
    parse_uptime,
    parse_wakefulness,
)

# what may be asked while a launch runs: files only, no dumpsys, which works the CPUs itself
LIGHT_PARTS: Mapping[str, str] = {
    "cpufreq": READ_FREQS,
    "zones": (
        "cd /sys/class/thermal;"
        " grep -s . thermal_zone*/type thermal_zone*/temp /dev/null | head -n 1000"
    ),
    "load": "cat /proc/loadavg",
    "memory": "head -n 80 /proc/meminfo",
    "boot": "cat /proc/sys/kernel/random/boot_id",
    "uptime": "cat /proc/uptime",
}
STATE_PARTS: Mapping[str, str] = {
    "thermal": "dumpsys thermalservice | head -n 500",
    "battery": "dumpsys battery | head -n 100",
    "power": "dumpsys power | grep mWakefulness= | head -n 5",
    **LIGHT_PARTS,
}


@dataclass(frozen=True)
class State:
    """A state is what may change from launch to launch; None and () stand for what is not told.

    ``max_temp_c`` is the hottest CPU sensor: the HAL's, else the kernel's; else the hottest of any
    kind, else the battery. ``load_1min`` is /proc/loadavg's first number, ``mem_available_mb`` is
    in 10⁶ bytes. ``wakefulness`` is Awake where the screen is on.
    """

    thermal_status: int | None = None
    thermal_overridden: bool = False
    temperatures: tuple[Temperature, ...] = ()
    max_temp_c: float | None = None
    battery: Battery = Battery()
    wakefulness: str | None = None
    freqs: tuple[CpuFreq, ...] = ()
    load_1min: float | None = None
    mem_available_mb: float | None = None
    boot_id: str | None = None
    uptime_s: float | None = None


def read_state(shell: Shell, timeout_s: float = SECTIONS_TIMEOUT_S) -> State:
    """Ask the device for its state. Raises only what ``shell`` raises."""
    return parse_state(run_sections(shell, STATE_PARTS, timeout_s))


def parse_state(sections: Mapping[str, bytes]) -> State:
    """Read the output of each of STATE_PARTS, as far as it is there."""
    thermal = parse_thermalservice(sections.get("thermal", b""))
    zones = parse_zones(parse_paths(sections.get("zones", b"")))
    battery = parse_battery(sections.get("battery", b""))
    return State(
        thermal_status=thermal.status,
        thermal_overridden=thermal.overridden,
        temperatures=thermal.temperatures or zones,
        max_temp_c=find_hottest_c((thermal.temperatures, zones), battery.temp_c),
        battery=battery,
        wakefulness=parse_wakefulness(sections.get("power", b"")),
        freqs=parse_freqs(parse_paths(sections.get("cpufreq", b""))),
        load_1min=parse_loadavg(sections.get("load", b"")),
        mem_available_mb=parse_meminfo(sections.get("memory", b"")),
        boot_id=parse_boot_id(sections.get("boot", b"")),
        uptime_s=parse_uptime(sections.get("uptime", b"")),
    )
