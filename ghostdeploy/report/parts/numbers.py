"""How numbers are written: the same digits in every format."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ghostdeploy.schema import Interval

ABSENT = "\u2013"  # an en dash


class WrittenNumber(str):
    """A number's text with what is behind it.

    ``value`` is what tables sort by, and ``exact`` the value with all its digits, for a tooltip.
    """

    value: float
    exact: str

    def __new__(cls, text: str, value: float, exact: str = "") -> WrittenNumber:
        """Return ``text``; ``exact`` is the value as Python prints it where it is not given."""
        written = super().__new__(cls, text)
        written.value = value
        written.exact = exact or repr(value)
        return written


def format_number(value: float | None, digits: int = 4) -> str:
    """Return plain decimals, ``digits`` of them significant, never an exponent: 12.34, 1234."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return WrittenNumber(f"{value:.{_decimals(value, digits)}f}", value)


def format_as_printed(value: float | None) -> str:
    """Return a number of the paper's with the digits that it prints: 31.1, 37."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return WrittenNumber(f"{value:.6g}", value)


def format_interval(estimate: Interval | None, digits: int = 4) -> str:
    """Return ``value [lower, upper]``, all three with the value's decimals."""
    if estimate is None or not math.isfinite(estimate.value):
        return ABSENT
    text = f"{format_number(estimate.value, digits)} {format_limits(estimate, digits)}"
    return WrittenNumber(text, estimate.value, tell_exactly(estimate))


def tell_exactly(estimate: Interval) -> str:
    """Return value and limits with all their digits."""
    return f"{estimate.value!r} [{estimate.lower!r}, {estimate.upper!r}]"


def format_limits(estimate: Interval, digits: int = 4) -> str:
    """Return ``[lower, upper]``; ? where a limit is unknown."""
    places = _decimals(estimate.value, digits)
    return f"[{_limit(estimate.lower, places)}, {_limit(estimate.upper, places)}]"


def format_ratio(estimate: Interval | None) -> str:
    """Return a ratio and its limits, three digits significant."""
    return format_interval(estimate, 3)


def format_millions(count: int | None) -> str:
    """Return ``count`` in millions; behind it is the count."""
    return ABSENT if count is None else WrittenNumber(format_number(count / 1e6), count)


def format_megabytes(size_bytes: int | None) -> str:
    """Return bytes in MB of 10⁶; behind it are the bytes."""
    if size_bytes is None:
        return ABSENT
    return WrittenNumber(format_number(size_bytes / 1e6), size_bytes, f"{size_bytes} bytes")


def format_percent(share: float | None, digits: int = 2) -> str:
    """Return a share in percent."""
    if share is None or not math.isfinite(share):
        return ABSENT
    percent = 100 * share
    return WrittenNumber(f"{format_number(percent, digits)} %", share, f"{percent:.12g} %")


def format_scientific(value: float | None) -> str:
    """Return a parity error: 1.2e-06; 0 is 0."""
    if value is None or not math.isfinite(value):
        return ABSENT if value is None else str(value)
    return WrittenNumber(f"{value:.2g}", value)


def format_range(values: Iterable[float | int | None], unit: str = "", places: int = 1) -> str:
    """Return ``low … high unit`` of what is known, or one value where they print alike."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return ABSENT
    least, most = min(known), max(known)
    low, high = f"{least:.{places}f}", f"{most:.{places}f}"
    text = low if low == high else f"{low} … {high}"
    return WrittenNumber(f"{text} {unit}".rstrip(), least, f"{least!r} … {most!r} {unit}".rstrip())


def drop_non_finite(estimate: Interval | None) -> Interval | None:
    """Return the estimate, or None where it is not a number."""
    return estimate if estimate is not None and math.isfinite(estimate.value) else None


def _decimals(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return digits - 1
    return max(0, min(6, digits - 1 - math.floor(math.log10(abs(value)))))


def _limit(value: float, places: int) -> str:
    return f"{value:.{places}f}" if math.isfinite(value) else "?"
