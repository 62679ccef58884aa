"""How numbers are written: the same digits in every format."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ghostdeploy.schema import Interval

ABSENT = "\u2013"  # an en dash


def format_number(value: float | None, digits: int = 4) -> str:
    """Return plain decimals, ``digits`` of them significant, never an exponent: 12.34, 1234."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:.{_decimals(value, digits)}f}"


def format_as_printed(value: float | None) -> str:
    """Return a number of the paper's with the digits that it prints: 31.1, 37."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.6g}"


def format_interval(estimate: Interval | None, digits: int = 4) -> str:
    """Return ``value [lower, upper]``, all three with the value's decimals."""
    if estimate is None or not math.isfinite(estimate.value):
        return ABSENT
    return f"{format_number(estimate.value, digits)} {format_limits(estimate, digits)}"


def format_limits(estimate: Interval, digits: int = 4) -> str:
    """Return ``[lower, upper]``; ? where a limit is unknown."""
    places = _decimals(estimate.value, digits)
    return f"[{_limit(estimate.lower, places)}, {_limit(estimate.upper, places)}]"


def format_ratio(estimate: Interval | None) -> str:
    """Return a ratio and its limits, three digits significant."""
    return format_interval(estimate, 3)


def format_millions(count: int | None) -> str:
    """Return ``count`` in millions."""
    return format_number(None if count is None else count / 1e6)


def format_megabytes(size_bytes: int | None) -> str:
    """Return bytes in MB of 10⁶."""
    return format_number(None if size_bytes is None else size_bytes / 1e6)


def format_percent(share: float | None, digits: int = 2) -> str:
    """Return a share in percent."""
    if share is None or not math.isfinite(share):
        return ABSENT
    return f"{format_number(100 * share, digits)} %"


def format_scientific(value: float | None) -> str:
    """Return a parity error: 1.2e-06; 0 is 0."""
    if value is None or not math.isfinite(value):
        return ABSENT if value is None else str(value)
    return f"{value:.2g}"


def format_range(values: Iterable[float | int | None], unit: str = "", places: int = 1) -> str:
    """Return ``low … high unit`` of what is known, or one value where they print alike."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return ABSENT
    low, high = f"{min(known):.{places}f}", f"{max(known):.{places}f}"
    text = low if low == high else f"{low} … {high}"
    return f"{text} {unit}".rstrip()


def drop_non_finite(estimate: Interval | None) -> Interval | None:
    """Return the estimate, or None where it is not a number."""
    return estimate if estimate is not None and math.isfinite(estimate.value) else None


def _decimals(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return digits - 1
    return max(0, min(6, digits - 1 - math.floor(math.log10(abs(value)))))


def _limit(value: float, places: int) -> str:
    return f"{value:.{places}f}" if math.isfinite(value) else "?"
