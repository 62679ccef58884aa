"""Group the equal CPUs of a device, and choose one of the groups.

A cluster here holds CPUs of one design with one top frequency: where a thread lands within it
makes no difference to its speed. A cpufreq policy alone is not enough: Snapdragon 8 Gen 2 clocks
Cortex-A715 and A710 cores by one policy. Equal policies of equal cores are one cluster.

Roles, by speed from slow to fast:

========  =============================================================================
little    the slowest of two or more
big       the fastest that is not a prime cluster; the only one of a phone with one
mid       between little and big
prime     the fastest of three or more, if it is a single core or a Cortex-X
========  =============================================================================

So two clusters are little and big; A55 ×4, A76 ×3, A76 ×1 are little, big and prime; Kirin 980's
A55 ×4 (0f), A76 ×2 at 1.92 GHz (30) and A76 ×2 at 2.6 GHz (c0) are little, mid and big.
No role spans two clusters: one thread on 30 or c0 by chance varies by a third, and an X1 beside
A76 cores by more. Who wants that gives the mask, f0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from android_bench.device.affinity import from_mask, parse_cpu_list, to_mask
from android_bench.device.cores import Core, classify_core, read_design_number
from android_bench.device.cpufreq import CpuFreq
from android_bench.device.values import to_int
from android_bench.errors import OptionError
from android_bench.log.lines import quote

ROLES = ("prime", "big", "mid", "little")


@dataclass(frozen=True)
class Cluster:
    """A cluster holds equal CPUs; ``capacity`` is the kernel's estimate of speed, 1024 at most."""

    role: str
    name: str | None
    cpus: tuple[int, ...]
    max_khz: int | None = None
    capacity: int | None = None

    @property
    def mask(self) -> str:
        """Write the CPUs as a mask, in hex without ``0x``."""
        return to_mask(self.cpus)


@dataclass(frozen=True)
class CpuChoice:
    """A choice names the CPUs to run on; mask "" and no CPUs leave it to the system.

    ``clusters`` names what they are of.
    """

    mask: str
    cpus: tuple[int, ...]
    clusters: tuple[str, ...] = ()

    @property
    def mixed(self) -> bool:
        """Tell whether the CPUs differ in speed."""
        return len(self.clusters) > 1


def parse_capacities(paths: Mapping[str, str]) -> dict[int, int]:
    """Read ``cpu4/cpu_capacity`` files as the capacity of each CPU, 1 to 1024."""
    found = {}
    for path, text in paths.items():
        folder, _, name = path.rpartition("/")
        cpus = parse_cpu_list(folder.rpartition("/")[2].removeprefix("cpu"))
        capacity = to_int(text, 1, 1024)
        if name == "cpu_capacity" and cpus and capacity:
            found[cpus[0]] = capacity
    return found


def find_clusters(
    cores: Sequence[Core], freqs: Sequence[CpuFreq], capacities: Mapping[int, int]
) -> tuple[Cluster, ...]:
    """Group the CPUs, slowest first; () where the device tells nothing.

    Without cpufreq, CPUs of one design are one cluster, though their clocks may differ. A CPU that
    was offline has no design told; it takes that of its policy, if that has just one.
    """
    clock = {cpu: freq.max_khz for freq in freqs for cpu in freq.cpus}
    names = _names(cores, freqs)
    cpus = sorted({*clock, *names})
    capacity = capacities if all(cpu in capacities for cpu in cpus) else {}
    groups: dict[tuple[str | None, int | None, int | None], list[int]] = {}
    for cpu in cpus:
        groups.setdefault((names.get(cpu), clock.get(cpu), capacity.get(cpu)), []).append(cpu)
    return _with_roles([Cluster("", key[0], tuple(g), key[1], key[2]) for key, g in groups.items()])


def _names(cores: Sequence[Core], freqs: Sequence[CpuFreq]) -> dict[int, str | None]:
    names = {core.cpu: core.name for core in cores}
    for freq in freqs:
        told = {names[cpu] for cpu in freq.cpus if names.get(cpu)}
        for cpu in freq.cpus:
            if not names.get(cpu):
                names[cpu] = next(iter(told)) if len(told) == 1 else None
    return names


def _with_roles(clusters: Sequence[Cluster]) -> tuple[Cluster, ...]:
    ordered = sorted(clusters, key=_speed)
    if any(classify_core(cluster.name) is None for cluster in clusters):
        ordered = sorted(clusters, key=lambda c: (c.capacity or 0, c.max_khz or 0, c.cpus))
    roles = _roles(ordered)
    return tuple(replace(c, role=role) for c, role in zip(ordered, roles, strict=True))


def _speed(cluster: Cluster) -> tuple[int, int, int, int, tuple[int, ...]]:
    # kernels that know no capacities say 1024 for all: then the design decides, then the clock
    kind, number = classify_core(cluster.name) or 0, read_design_number(cluster.name)
    return (cluster.capacity or 0, kind, cluster.max_khz or 0, number, cluster.cpus)


def _roles(ordered: Sequence[Cluster]) -> list[str]:
    count = len(ordered)
    if count < 2:
        return ["big"] * count
    roles = ["little", *["mid"] * (count - 2), "big"]
    fastest = ordered[-1]
    if count > 2 and (len(fastest.cpus) == 1 or classify_core(fastest.name) == 2):
        roles[-2:] = ["big", "prime"]
    return roles


def choose_cpus(
    clusters: Sequence[Cluster], wanted: str | None = None, min_cpus: int = 1
) -> CpuChoice:
    """Choose the CPUs that ``wanted`` names: a role of the phone's map, ``all``, or a mask.

    ``prime`` is the fastest cluster also where none has that role. None: the fastest cluster that
    holds ``min_cpus`` (the number of threads), else the fastest; on a device that does not tell its
    clusters, no CPUs, which leaves the choice to the system.

    Raises OptionError for a role that the phone lacks and a mask with CPUs that it lacks.
    """
    if wanted is None:
        fitting = [cluster for cluster in clusters if len(cluster.cpus) >= min_cpus]
        return _choice((fitting or [*clusters])[-1:], clusters)
    if wanted == "all" and clusters:
        return _choice(clusters, clusters)
    if wanted == "prime" and clusters:
        return _choice(clusters[-1:], clusters)
    if wanted in ROLES or wanted == "all":
        found = [cluster for cluster in clusters if cluster.role == wanted]
        if not found:
            raise OptionError(f"this phone has no {wanted} CPUs; {_what_there_is(clusters)}")
        return _choice(found[-1:], clusters)
    return _masked(wanted, clusters)


def _masked(mask: str, clusters: Sequence[Cluster]) -> CpuChoice:
    try:
        cpus = from_mask(mask)
    except OptionError:
        raise OptionError(
            f"{quote(mask)} names no CPUs; {_what_there_is(clusters)}, all, or a hex mask"
        ) from None
    missing = set(cpus) - {cpu for cluster in clusters for cpu in cluster.cpus}
    if clusters and missing:
        raise OptionError(
            f"the phone lacks CPUs {_listed(missing)} of mask {quote(mask)};"
            f" {_what_there_is(clusters)}"
        )
    touched = tuple(_title(c) for c in clusters if set(c.cpus) & set(cpus))
    return CpuChoice(to_mask(cpus), cpus, touched)


def _choice(chosen: Sequence[Cluster], clusters: Sequence[Cluster]) -> CpuChoice:
    cpus = tuple(sorted(cpu for cluster in chosen for cpu in cluster.cpus))
    return CpuChoice(to_mask(cpus), cpus, tuple(map(_title, chosen))) if cpus else CpuChoice("", ())


def _what_there_is(clusters: Sequence[Cluster]) -> str:
    if not clusters:
        return "it does not tell its clusters, give a hex mask such as f0"
    return "there are " + ", ".join(f"{c.role} {c.mask} ({_title(c)})" for c in clusters)


def _title(cluster: Cluster) -> str:
    clock = f" {cluster.max_khz / 1e6:.2f} GHz" if cluster.max_khz else ""
    return f"{cluster.name or 'unknown core'}{clock}"


def _listed(cpus: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(cpus)))
