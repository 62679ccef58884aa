"""What a device is, and what state it is in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CoreCluster:
    """Equal cores of one top clock, e.g. role ``big``, core ``Cortex-A76``, CPUs 6 and 7.

    The roles are those that ``--cpus`` takes: prime, big, mid, little.
    """

    role: str
    core: str
    cpus: tuple[int, ...]
    max_khz: int | None = None


@dataclass(frozen=True)
class DeviceIdentity:
    """What the device is: the same at every measurement on it. ``clusters``: slowest first."""

    scheme: str  # local, adb, qemu
    serial: str
    model: str
    soc: str
    arch: str
    os: str
    cores: int
    fingerprint: str = ""
    clusters: tuple[CoreCluster, ...] = ()


@dataclass(frozen=True)
class DeviceState:
    """What may change from launch to launch; None where the device does not tell."""

    load_1min: float | None = None
    mem_available_mb: float | None = None
    max_temp_c: float | None = None
    cur_freq_khz: tuple[int, ...] = ()
    max_freq_khz: tuple[int, ...] = ()
    governor: str | None = None
    battery_percent: int | None = None
    thermal_status: int | None = None
    cpu_steal_s: float | None = None  # time the hypervisor gave to others, since boot
    cpu_busy_s: float | None = None  # time that all cores computed, since boot
    uptime_s: float | None = None
