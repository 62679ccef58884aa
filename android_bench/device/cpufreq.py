"""Read the clocks of the CPUs, the kernel's cpufreq policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from android_bench.device.affinity import parse_cpu_list
from android_bench.device.values import MAX_KHZ, to_int

MIN_KHZ = 10_000
# grep names each file it prints from, for which it must be given two; head bounds the output.
# Old kernels have no policy folders.
READ_FREQS = (
    "cd /sys/devices/system/cpu; at='cpufreq/policy*'; [ -d cpufreq/policy0 ] ||"
    " at='cpu[0-9]*/cpufreq'; for f in related_cpus affected_cpus scaling_cur_freq"
    " scaling_max_freq cpuinfo_max_freq scaling_governor; do grep -s . $at/$f /dev/null; done"
    " | head -n 4000"
)


@dataclass(frozen=True)
class CpuFreq:
    """A policy clocks some CPUs; ``cap_khz`` is scaling_max_freq, ``max_khz`` is the hardware's."""

    cpus: tuple[int, ...]
    cur_khz: int | None = None
    cap_khz: int | None = None
    max_khz: int | None = None
    governor: str | None = None


def parse_freqs(paths: Mapping[str, str]) -> tuple[CpuFreq, ...]:
    """Read cpufreq's files by path, ``…/policy4/scaling_cur_freq`` or ``…/cpu4/cpufreq/…``."""
    folders: dict[str, dict[str, str]] = {}
    for path, text in paths.items():
        folder, _, name = path.rpartition("/")
        if "cpufreq" in folder:
            folders.setdefault(folder, {})[name] = text
    found = {freq.cpus: freq for freq in map(_policy, folders.values()) if freq.cpus}
    return tuple(found[cpus] for cpus in sorted(found))


def _policy(files: Mapping[str, str]) -> CpuFreq:
    governor = files.get("scaling_governor", "")
    return CpuFreq(
        cpus=parse_cpu_list(files.get("related_cpus") or files.get("affected_cpus") or ""),
        cur_khz=_khz(files.get("scaling_cur_freq")),
        cap_khz=_khz(files.get("scaling_max_freq")),
        max_khz=_khz(files.get("cpuinfo_max_freq")),
        governor=governor if governor.replace("_", "").replace("-", "").isalnum() else None,
    )


def _khz(text: str | None) -> int | None:
    return to_int(text or "", MIN_KHZ, MAX_KHZ)
