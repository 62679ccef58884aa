"""Read heat in °C, and a status, from Android's thermal service and the kernel's thermal zones."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from android_bench.device.values import read_fields, split_lines, to_float, to_int

# PowerManager.THERMAL_STATUS_*
STATUS_NAMES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
MIN_C, MAX_C = -30.0, 130.0
CPU, GPU, BATTERY, SKIN, OTHER = "cpu", "gpu", "battery", "skin", "other"

# android.os.Temperature.TYPE_*; 6 to 8 are the battery's voltage, current and percentage
_HAL_KINDS = {0: CPU, 1: GPU, 2: BATTERY, 3: SKIN, 4: OTHER, 5: OTHER, 9: OTHER}
_KIND_PATTERNS = (
    (BATTERY, r"batt"),
    (SKIN, r"skin|quiet|shell|case|ambient"),
    (GPU, r"gpu|mali|g3d"),
    (CPU, r"cpu|tsens|cluster|soc_thermal|soc-thermal|big|mid|little|apc|core|x86_pkg"),
)
# zones that report another quantity: Qualcomm's "soc" is the battery's charge in percent
_NO_TEMPERATURE = re.compile(r"soc|.*(?:bcl|vbat|ibat|vph|volt|current).*|.*-lvl[0-9]*")
_HAL_ENTRY = re.compile(
    r"\s*Temperature\{mValue=([^,]{1,30}), mType=(-?[0-9]{1,3}), mName=([^,]{0,80}),"
    r" mStatus=.*\}\s*"
)


@dataclass(frozen=True)
class Temperature:
    """A sensor's kind is cpu, gpu, battery, skin or other, as far as its name tells."""

    name: str
    kind: str
    temp_c: float


@dataclass(frozen=True)
class Thermal:
    """Android's thermal service (from 10 on) tells this; ``status`` 0 is none … 6 shutdown.

    ``overridden``: somebody set the status by hand; ``status`` is None then.
    """

    status: int | None
    overridden: bool
    temperatures: tuple[Temperature, ...]


def name_status(status: int) -> str:
    """Write a thermal status for people: ``2 (moderate)``."""
    known = 0 <= status < len(STATUS_NAMES)
    return f"{status} ({STATUS_NAMES[status]})" if known else str(status)


def parse_thermalservice(data: bytes) -> Thermal:
    """Read the status, and the temperatures that the HAL gives now.

    The cached ones are taken only where the HAL gives none: they may be hours old.
    """
    fields = read_fields(data)
    overridden = fields.get("IsStatusOverride") == "true"
    told = "IsStatusOverride" in fields  # the first line: without it, this is something else
    status = to_int(fields.get("Thermal Status", ""), 0, len(STATUS_NAMES) - 1)
    return Thermal(
        status=status if told and not overridden else None,
        overridden=overridden,
        temperatures=_current(data) or _cached(data),
    )


def _current(data: bytes) -> tuple[Temperature, ...]:
    return _entries(data, "Current temperatures from HAL:")


def _cached(data: bytes) -> tuple[Temperature, ...]:
    return _entries(data, "Cached temperatures:")


def _entries(data: bytes, title: str) -> tuple[Temperature, ...]:
    found: list[Temperature | None] = []
    inside = False
    for line in split_lines(data):
        entry = _HAL_ENTRY.fullmatch(line) if inside else None
        if entry:
            found.append(_from_hal(*entry.groups()))
        else:
            inside = line.strip() == title
    return tuple(temperature for temperature in found if temperature)


def _from_hal(value: str, kind: str, name: str) -> Temperature | None:
    celsius = to_float(value, MIN_C, MAX_C)
    named = _HAL_KINDS.get(int(kind))
    # exactly 0 is a sensor that is not fitted
    return Temperature(name, named, celsius) if celsius and named else None


def parse_zones(paths: Mapping[str, str]) -> tuple[Temperature, ...]:
    """Read /sys/class/thermal's ``thermal_zoneN/type`` and ``…/temp`` files, by path."""
    found: list[Temperature] = []
    for path in sorted(path for path in paths if path.endswith("/temp")):
        name = paths.get(path.removesuffix("temp") + "type", "")
        celsius = convert_zone(paths[path])
        if celsius is not None and name and not _NO_TEMPERATURE.fullmatch(name.lower()):
            found.append(Temperature(name, _kind(name), celsius))
    return tuple(found)


def convert_zone(text: str) -> float | None:
    """Convert a zone's number to °C: the kernel wants m°C, some vendors give tenths or degrees.

    From 1000 on it is m°C, from 150 on tenths, else degrees. 0, and what no phone survives, is
    the value of a sensor that is off: None.
    """
    value = to_float(text, -math.inf, math.inf)
    if not value:
        return None
    scale = 1000 if abs(value) >= 1000 else 10 if abs(value) >= 150 else 1
    return value / scale if MIN_C <= value / scale <= MAX_C else None


def _kind(name: str) -> str:
    found = (kind for kind, pattern in _KIND_PATTERNS if re.search(pattern, name.lower()))
    return next(found, OTHER)


def find_hottest_c(
    sources: Iterable[Sequence[Temperature]], battery_c: float | None
) -> float | None:
    """Find the hottest CPU sensor of the first source with one; else any sensor, else the battery.

    Sources go from the most to the least trusted.
    """
    usable = [source for source in sources if source]
    for source in usable:
        cpus = [sensor.temp_c for sensor in source if sensor.kind == CPU]
        if cpus:
            return max(cpus)
    return max((sensor.temp_c for source in usable for sensor in source), default=battery_c)
