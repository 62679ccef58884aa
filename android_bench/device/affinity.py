"""Say which CPUs a process may use: masks, ``taskset``, and reading a mask back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from android_bench.device.cores import MAX_CPUS
from android_bench.device.values import read_fields
from android_bench.errors import OptionError
from android_bench.log.lines import quote

_MASK = re.compile(r"(?:0x)?([0-9a-fA-F]{1,256})")  # 256 digits hold MAX_CPUS
_GROUPS = re.compile(r"[0-9a-fA-F]{1,8}(?:,[0-9a-fA-F]{8})*")
_TASKSET = re.compile(rb"current affinity mask: ([0-9a-fA-F]{1,256})\b")


@dataclass(frozen=True)
class Affinity:
    """An affinity is the set of CPUs that a process may use."""

    cpus: tuple[int, ...]

    @property
    def mask(self) -> str:
        """Write the CPUs in hex without ``0x``, as toybox's taskset wants it."""
        return to_mask(self.cpus)


def to_mask(cpus: Iterable[int]) -> str:
    """Write CPUs as a mask, 4 to 7 as ``f0``; in two digits at least, as masks are written."""
    return f"{sum(1 << cpu for cpu in set(cpus)):02x}"


def from_mask(mask: str) -> tuple[int, ...]:
    """Read a mask, ``f0`` or ``0xf0`` as CPUs 4 to 7. Raises OptionError for none or an empty."""
    found = _MASK.fullmatch(mask)
    cpus = _read_hex(found[1]) if found else ()
    if not cpus:
        raise OptionError(f"{quote(mask)} is no CPU mask; give hex such as f0 for CPUs 4 to 7")
    return cpus


def _read_hex(digits: str) -> tuple[int, ...]:
    """Read a bit for each CPU; return () for more than a device can have."""
    bits = int(digits, 16)
    count = bits.bit_length()
    return tuple(cpu for cpu in range(count) if bits >> cpu & 1) if count <= MAX_CPUS else ()


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Read the kernel's CPU lists, ``0-3,7`` and ``0 1 2 3``; return () for anything else."""
    cpus: set[int] = set()
    for part in re.split(r"\s*,\s*|\s+", text.strip()):
        found = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", part)
        if not found:
            return ()
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < MAX_CPUS:
            return ()
        cpus.update(range(first, last + 1))
    return tuple(sorted(cpus))


def parse_cpus_allowed(status: bytes) -> Affinity | None:
    """Read ``Cpus_allowed`` (groups of 32 bits) of a /proc/PID/status; None if it is not there."""
    text = read_fields(status).get("Cpus_allowed", "")
    cpus = _read_hex(text.replace(",", "")) if _GROUPS.fullmatch(text) else ()
    return Affinity(cpus) if cpus else None


def build_taskset(mask: str) -> tuple[str, ...]:
    """Return what to put before a command line: it execs, so the pid stays that of ``taskset``.

    () for an empty mask: leave the affinity alone. Raises OptionError for what is no mask.
    """
    # no 0x: toybox rejects it. No -c: toybox has it only since 2025-07
    return ("taskset", to_mask(from_mask(mask))) if mask else ()


def build_read_back(pid: str) -> str:
    """Return shell source that prints the mask of a process, in both ways that phones have.

    ``pid`` is a number or ``$$``.
    """
    return f"taskset -p {pid}; grep Cpus_allowed: /proc/{pid}/status"


def parse_read_back(text: bytes) -> Affinity | None:
    """Read what ``build_read_back`` printed; None if the process is gone or nothing tells it."""
    found = _TASKSET.search(text)
    if not found:
        return parse_cpus_allowed(text)
    try:
        return Affinity(from_mask(found[1].decode()))
    except OptionError:
        return None


def explain_affinity(asked: Iterable[int], found: Affinity | None) -> str:
    """Say why a mask did not take effect, "" where it did; an unreadable one counts as not."""
    wanted = tuple(sorted(set(asked)))
    if not wanted or (found and found.cpus == wanted):
        return ""
    had = f"it ran on {found.mask}" if found else "its mask could not be read back"
    return f"the CPU mask {to_mask(wanted)} did not take effect: {had}"
