"""What this machine is, and what state it is in: Linux tells all of it, macOS a little.

Everything is optional: what cannot be read is None, and never an error.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ghostdeploy.schema import DeviceIdentity, DeviceState

ROOT = Path("/")
# Columns of a cpu line in /proc/stat, its name being column 0; see proc_stat(5). The user column
# holds guest time already.
STEAL_FIELDS = (8,)
BUSY_FIELDS = (1, 2, 3, 6, 7)  # user, nice, system, irq, softirq


def read_machine_identity(root: Path = ROOT) -> DeviceIdentity:
    """Return what this machine is; ``root`` is where /proc, /sys and /etc are."""
    soc = _soc(root)
    product = _text(root / "sys/class/dmi/id/product_name") or _text(
        root / "proc/device-tree/model"
    )
    return DeviceIdentity(
        scheme="local",
        serial=platform.node(),
        model=product or soc,
        soc=soc,
        arch=platform.machine(),
        os=_os_name(root),
        cores=os.cpu_count() or 1,
        fingerprint=f"{platform.system()} {platform.release()}",
    )


def read_machine_state(root: Path = ROOT) -> DeviceState:
    """Return the state that this machine is in now; ``root`` is where /proc and /sys are."""
    stat = _text(root / "proc/stat") or ""
    cpus = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*"), key=_number)
    governors = {_text(cpu / "cpufreq/scaling_governor") for cpu in cpus} - {None}
    return DeviceState(
        load_1min=_first_float(_text(root / "proc/loadavg")),
        mem_available_mb=_mem_available_mb(_text(root / "proc/meminfo") or ""),
        max_temp_c=_max_temp_c(root),
        cur_freq_khz=_numbers(cpu / "cpufreq/scaling_cur_freq" for cpu in cpus),
        max_freq_khz=_numbers(cpu / "cpufreq/scaling_max_freq" for cpu in cpus),
        governor=", ".join(sorted(g for g in governors if g)) or None,
        cpu_steal_s=parse_steal_s(stat),
        cpu_busy_s=parse_busy_s(stat),
        uptime_s=_first_float(_text(root / "proc/uptime")),
    )


def parse_steal_s(stat: str, cpus: Collection[int] = ()) -> float | None:
    """Return the seconds that the hypervisor took from ``cpus`` (all where empty) since boot.

    ``stat`` is /proc/stat's text. The result is None where that does not tell.
    """
    return _seconds(stat, cpus, STEAL_FIELDS)


def parse_busy_s(stat: str, cpus: Collection[int] = ()) -> float | None:
    """Return the seconds that ``cpus`` (all where empty) computed since boot.

    ``stat`` is /proc/stat's text. The result is None where that does not tell. Most kernels charge
    a whole tick (1 to 10 ms) to whatever runs when it ends.
    """
    return _seconds(stat, cpus, BUSY_FIELDS)


def _seconds(stat: str, cpus: Collection[int], columns: Sequence[int]) -> float | None:
    names = {f"cpu{n}" for n in cpus} or {"cpu"}
    rows = [row for row in map(str.split, stat.splitlines()) if row and row[0] in names]
    try:
        ticks = sum(int(row[column]) for row in rows for column in columns)
    except (ValueError, IndexError):
        return None
    return ticks / os.sysconf("SC_CLK_TCK") if len(rows) == len(names) else None


def read_children_cpu_s() -> float | None:
    """Return the CPU seconds of this process's children, and theirs, that were waited for."""
    with contextlib.suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    return None


def list_allowed_cpus() -> tuple[int, ...]:
    """Return the cores that this process may use; () where the system does not pin."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace").strip("\x00 \n") or None
    return None


def _number(path: Path) -> int:
    return int(re.sub(r"\D", "", path.name) or 0)


def _first_float(text: str | None) -> float | None:
    with contextlib.suppress(ValueError, IndexError):
        return float((text or "").split()[0])
    return None


def _numbers(paths: Iterable[Path]) -> tuple[int, ...]:
    texts = [_text(path) for path in paths]
    return tuple(int(text) for text in texts if text and text.isdigit())


def _mem_available_mb(meminfo: str) -> float | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None


def _max_temp_c(root: Path) -> float | None:
    texts = [_text(p) for p in (root / "sys/class/thermal").glob("thermal_zone*/temp")]
    temps = [int(t) / 1000 for t in texts if t and re.fullmatch(r"-?\d+", t)]
    return max(temps, default=None)


def _soc(root: Path) -> str:
    cpuinfo = _text(root / "proc/cpuinfo") or ""
    for key in ("Hardware", "model name", "Processor", "cpu model"):
        found = re.search(rf"^{key}\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _os_name(root: Path) -> str:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', _text(root / "etc/os-release") or "", re.M)
    return found[1] if found else platform.platform(aliased=True, terse=True)
