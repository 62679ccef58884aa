"""Read values off what Android's and Linux's tools print; what is not understood is None.

These functions never raise. Only lines that a newline ends are read, since a number whose line
was cut is another number; and each number must be one that a device can have.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 4 * 2**20  # getprop, the longest, prints some 60 kB
MAX_LINE = 4096
MAX_KHZ = 10_000_000
MAX_UPTIME_S = 100 * 365 * 86400.0
SURELY_TENTHS = 100  # a battery at 100 °C would burn
UNKNOWN = frozenset({"", "unknown", "null", "none", "n/a", "unavailable"})

_PROPERTY = re.compile(r"\[([^\[\]]{1,200})\]: \[(.*)\]")
_BOOT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE]-?[0-9]{1,3})?")
_PLUGS = {
    "AC powered": "AC",
    "USB powered": "USB",
    "Wireless powered": "wireless",
    "Dock powered": "dock",
}


@dataclass(frozen=True)
class Battery:
    """A battery tells this in ``dumpsys battery``; ``plugged`` names its power sources.

    ``plugged`` is None where no sources are told of. ``updates_stopped``: somebody froze these
    values (``dumpsys battery unplug`` or ``set``); they tell nothing until ``dumpsys battery
    reset``.
    """

    level_percent: int | None = None
    temp_c: float | None = None
    plugged: tuple[str, ...] | None = None
    updates_stopped: bool = False


def split_lines(data: bytes) -> Iterator[str]:
    """Split into the lines that are ended, without newline; what is no UTF-8 becomes U+FFFD.

    Longer ones than MAX_LINE bytes are left out: nothing that is read has any.
    """
    for raw in data[:MAX_BYTES].split(b"\n")[:-1]:
        if len(raw) <= MAX_LINE:
            yield raw.rstrip(b"\r").decode("utf-8", "replace")


def to_int(text: str, least: int, most: int) -> int | None:
    """Read a whole decimal number within the limits, else None."""
    value = to_float(text, least, most)
    return int(value) if value is not None and value == int(value) else None


def to_float(text: str, least: float, most: float) -> float | None:
    """Read a plain decimal number within the limits, else None."""
    text = text.strip()
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    return value if least <= value <= most else None


def read_fields(data: bytes) -> dict[str, str]:
    """Read ``key: value`` and ``key=value`` lines; of a repeated key the first counts."""
    fields: dict[str, str] = {}
    for line in split_lines(data):
        key, separator, value = line.partition(":" if ":" in line.partition("=")[0] else "=")
        if separator:
            fields.setdefault(key.strip(), value.strip())
    return fields


def parse_getprop(data: bytes) -> dict[str, str]:
    """Read ``[ro.product.model]: [ELE-L29]`` lines; those that say "unknown" are left out."""
    found = map(_PROPERTY.fullmatch, split_lines(data))
    pairs = ((match[1], match[2].strip()) for match in found if match)
    return {key: value for key, value in pairs if value.lower() not in UNKNOWN}


def parse_battery(data: bytes) -> Battery:
    """Read ``dumpsys battery``: level of ``scale`` (mostly 100), temperature in tenths of °C.

    A box on the mains without a battery says ``present: false``, and its level is no level.
    """
    fields = read_fields(data)
    absent = fields.get("present") == "false"
    scale = to_int(fields.get("scale", "100"), 1, 100_000)
    level = None if absent else to_int(fields.get("level", ""), 0, scale or 0)
    told = [key for key in _PLUGS if fields.get(key) in ("true", "false")]
    plugged = tuple(_PLUGS[key] for key in told if fields[key] == "true")
    return Battery(
        level_percent=None if level is None or not scale else round(100 * level / scale),
        temp_c=None if absent else _battery_c(fields.get("temperature", "")),
        # the level comes after the plugs: without it, some may be missing
        plugged=plugged if plugged or (told and "level" in fields) else None,
        updates_stopped=b"UPDATES STOPPED" in data[:MAX_BYTES],
    )


def _battery_c(text: str) -> float | None:
    """Convert a battery's tenths of °C; None for 0, which is no sensor, and where it is not clear.

    Some boxes give whole degrees: 26 is 26 °C there, and 2.6 °C elsewhere. Nobody measures a phone
    that is near freezing, so that what is closer to 0 than 10 °C tells nothing.
    """
    tenths = to_float(text, -300, 1000)
    return tenths / 10 if tenths and abs(tenths) >= SURELY_TENTHS else None


def parse_wakefulness(data: bytes) -> str | None:
    """Read ``mWakefulness=`` of ``dumpsys power``: Awake, Asleep, Dreaming or Dozing."""
    value = read_fields(data).get("mWakefulness")
    return value if value in ("Awake", "Asleep", "Dreaming", "Dozing") else None


def parse_loadavg(data: bytes) -> float | None:
    """Read the one-minute load of /proc/loadavg."""
    words = _first_words(data)
    return to_float(words[0], 0, 100_000) if len(words) >= 3 else None


def parse_meminfo(data: bytes) -> float | None:
    """Read ``MemAvailable`` of /proc/meminfo, in MB (10⁶ bytes)."""
    amount, _, unit = read_fields(data).get("MemAvailable", "").partition(" ")
    kib = to_int(amount, 0, 2**40) if unit == "kB" else None
    return None if kib is None else kib * 1024 / 1e6


def parse_uptime(data: bytes) -> float | None:
    """Read the seconds since boot of /proc/uptime."""
    words = _first_words(data)
    return to_float(words[0], 0, MAX_UPTIME_S) if len(words) == 2 else None


def parse_boot_id(data: bytes) -> str | None:
    """Read the UUID that the kernel draws at each boot."""
    words = _first_words(data)
    return words[0] if len(words) == 1 and _BOOT_ID.fullmatch(words[0]) else None


def parse_uname(data: bytes) -> tuple[str | None, str | None]:
    """Read ``uname -s -r -m``: the system with its release, and the machine (``aarch64``)."""
    words = _first_words(data)
    return (" ".join(words[:-1]), words[-1]) if len(words) == 3 else (None, None)


def parse_paths(data: bytes) -> dict[str, str]:
    """Read ``path:content`` lines, as ``grep . FILE…`` prints: each file's first line, by path."""
    texts: dict[str, str] = {}
    for line in split_lines(data):
        path, colon, text = line.partition(":")
        if colon:
            texts.setdefault(path, text.strip())
    return texts


def _first_words(data: bytes) -> list[str]:
    return next(split_lines(data), "").split()
