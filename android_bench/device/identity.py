"""A snapshot of a device: what it is (Identity) and what state it is in (State).

Each is one round trip. Any part may be denied, missing or unknown to the system: it is None or
empty then, and the rest is read all the same. Nothing here assumes Android: a Linux machine with
a POSIX shell answers what it can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from android_bench.device.clusters import (
    Cluster,
    CpuFreq,
    find_clusters,
    parse_capacities,
    parse_freqs,
)
from android_bench.device.cores import Core, parse_cpuinfo
from android_bench.device.shell import Shell, run_sections
from android_bench.device.thermal import (
    Temperature,
    hottest_c,
    parse_thermalservice,
    parse_zones,
)
from android_bench.device.values import (
    Battery,
    parse_battery,
    parse_boot_id,
    parse_getprop,
    parse_loadavg,
    parse_meminfo,
    parse_paths,
    parse_uname,
    parse_uptime,
    parse_wakefulness,
    to_int,
)

TIMEOUT_S = 60.0  # dumpsys gives up on a service that hangs after 10 s; there are three

# grep names each file it prints from, for which it must be given two; head bounds the output.
# Old kernels have no policy folders.
_CPUFREQ = (
    "cd /sys/devices/system/cpu; at='cpufreq/policy*'; [ -d cpufreq/policy0 ] ||"
    " at='cpu[0-9]*/cpufreq'; for f in related_cpus affected_cpus scaling_cur_freq"
    " scaling_max_freq cpuinfo_max_freq scaling_governor; do grep -s . $at/$f /dev/null; done"
    " | head -n 4000"
)
IDENTITY_PARTS: Mapping[str, str] = {
    "getprop": "getprop | head -n 4000",
    "uname": "uname -s -r -m",
    "cpuinfo": "head -n 8000 /proc/cpuinfo",
    "cpufreq": _CPUFREQ,
    "capacity": (
        "cd /sys/devices/system/cpu; grep -s . cpu[0-9]*/cpu_capacity /dev/null | head -n 1024"
    ),
}
# what may be asked while a launch runs: files only, no dumpsys, which works the CPUs itself
LIGHT_PARTS: Mapping[str, str] = {
    "cpufreq": _CPUFREQ,
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
class Identity:
    """What a device is. None and () stand for what it does not tell.

    ``soc`` is ro.soc.model, else ro.board.platform, else ro.hardware, else cpuinfo's Hardware.
    ``abis`` goes from the preferred to the least. ``sdk`` is Android's API level. ``kernel`` and
    ``machine`` are of uname. ``clusters`` goes from slow to fast.
    """

    manufacturer: str | None = None
    model: str | None = None
    soc: str | None = None
    fingerprint: str | None = None
    android: str | None = None
    sdk: int | None = None
    abis: tuple[str, ...] = ()
    kernel: str | None = None
    machine: str | None = None
    cores: tuple[Core, ...] = ()
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True)
class State:
    """What may change from launch to launch. None and () stand for what is not told.

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


def read_identity(shell: Shell, timeout_s: float = TIMEOUT_S) -> Identity:
    """Ask the device what it is. Raises only what ``shell`` raises."""
    return parse_identity(run_sections(shell, IDENTITY_PARTS, timeout_s))


def read_state(shell: Shell, timeout_s: float = TIMEOUT_S) -> State:
    """Ask the device for its state. Raises only what ``shell`` raises."""
    return parse_state(run_sections(shell, STATE_PARTS, timeout_s))


def sample_state(shell: Shell, timeout_s: float = TIMEOUT_S) -> State:
    """The part of the state that costs the device next to nothing: for use during a launch."""
    return parse_state(run_sections(shell, LIGHT_PARTS, timeout_s))


def parse_identity(sections: Mapping[str, bytes]) -> Identity:
    """The output of each of IDENTITY_PARTS, as far as it is there → what the device is."""
    props = parse_getprop(sections.get("getprop", b""))
    kernel, machine = parse_uname(sections.get("uname", b""))
    cpuinfo = parse_cpuinfo(sections.get("cpuinfo", b""))
    freqs = parse_freqs(parse_paths(sections.get("cpufreq", b"")))
    capacities = parse_capacities(parse_paths(sections.get("capacity", b"")))
    return Identity(
        manufacturer=props.get("ro.product.manufacturer"),
        model=props.get("ro.product.model"),
        soc=_first(props, "ro.soc.model", "ro.board.platform", "ro.hardware") or cpuinfo.hardware,
        fingerprint=props.get("ro.build.fingerprint"),
        android=props.get("ro.build.version.release"),
        sdk=to_int(props.get("ro.build.version.sdk", ""), 1, 1000),
        abis=_abis(props),
        kernel=kernel,
        machine=machine,
        cores=cpuinfo.cores,
        clusters=find_clusters(cpuinfo.cores, freqs, capacities),
    )


def _first(props: Mapping[str, str], *keys: str) -> str | None:
    return next((props[key] for key in keys if key in props), None)


def _abis(props: Mapping[str, str]) -> tuple[str, ...]:
    listed = props.get("ro.product.cpu.abilist") or props.get("ro.product.cpu.abi", "")
    return tuple(abi.strip() for abi in listed.split(",") if abi.strip())


def parse_state(sections: Mapping[str, bytes]) -> State:
    """The output of each of STATE_PARTS, as far as it is there → the device's state."""
    thermal = parse_thermalservice(sections.get("thermal", b""))
    zones = parse_zones(parse_paths(sections.get("zones", b"")))
    battery = parse_battery(sections.get("battery", b""))
    return State(
        thermal_status=thermal.status,
        thermal_overridden=thermal.overridden,
        temperatures=thermal.temperatures or zones,
        max_temp_c=hottest_c((thermal.temperatures, zones), battery.temp_c),
        battery=battery,
        wakefulness=parse_wakefulness(sections.get("power", b"")),
        freqs=parse_freqs(parse_paths(sections.get("cpufreq", b""))),
        load_1min=parse_loadavg(sections.get("load", b"")),
        mem_available_mb=parse_meminfo(sections.get("memory", b"")),
        boot_id=parse_boot_id(sections.get("boot", b"")),
        uptime_s=parse_uptime(sections.get("uptime", b"")),
    )
