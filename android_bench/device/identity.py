"""Ask a device what it is, in one round trip.

As for its state (state.py), any part may be denied, missing or unknown to the system: it is None or
empty then, and the rest is read all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from android_bench.device.clusters import (
    Cluster,
    find_clusters,
    parse_capacities,
)
from android_bench.device.cores import Core, parse_cpuinfo
from android_bench.device.cpufreq import READ_FREQS, parse_freqs
from android_bench.device.shell import SECTIONS_TIMEOUT_S, Shell, run_sections
from android_bench.device.values import (
    parse_getprop,
    parse_paths,
    parse_uname,
    to_int,
)

IDENTITY_PARTS: Mapping[str, str] = {
    "getprop": "getprop | head -n 4000",
    "uname": "uname -s -r -m",
    "cpuinfo": "head -n 8000 /proc/cpuinfo",
    "cpufreq": READ_FREQS,
    "capacity": (
        "cd /sys/devices/system/cpu; grep -s . cpu[0-9]*/cpu_capacity /dev/null | head -n 1024"
    ),
}


@dataclass(frozen=True)
class Identity:
    """An identity is what a device is and stays; None and () stand for what it does not tell.

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


def read_identity(shell: Shell, timeout_s: float = SECTIONS_TIMEOUT_S) -> Identity:
    """Ask the device what it is. Raises only what ``shell`` raises."""
    return parse_identity(run_sections(shell, IDENTITY_PARTS, timeout_s))


def parse_identity(sections: Mapping[str, bytes]) -> Identity:
    """Read the output of each of IDENTITY_PARTS, as far as it is there."""
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
