"""The points of the figures as plain numbers: nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import median

from ghostdeploy.report.latency.summary import SummaryRow, invalid_reason, measured_latency
from ghostdeploy.schema import Comparison, Interval, Launch

LAUNCH_ORDER = "launch, in order of start"


@dataclass(frozen=True)
class Dot:
    """A launch: ``x`` in the strip's unit, ``deviation`` from its model's median in % or None.

    ``text`` says which launch it is and what it told.
    """

    x: float
    deviation: float | None
    valid: bool
    text: str = ""


@dataclass(frozen=True)
class Strips:
    """One tuple of dots a comparison, with the label of the axis that they share."""

    x_label: str
    dots: tuple[tuple[Dot, ...], ...]


def anchor_index(rows: Sequence[SummaryRow]) -> int | None:
    """Return the row at whose latency the two devices' axes meet.

    It is the first that is measured and has the paper's latency; None if there is none.
    """
    for row in rows:
        if row.latency_ms and row.latency_ms.value > 0 and row.paper_latency_ms:
            return row.index
    return None


def relative_to(row: SummaryRow, anchor: SummaryRow) -> Interval | None:
    """Return a latency as a multiple of the anchor's, with limits where they are known."""
    if row.latency_ms is None or anchor.latency_ms is None:
        return None
    if anchor.is_base and row.ratio:
        return row.ratio
    value = row.latency_ms.value / anchor.latency_ms.value
    return Interval(value, value, value)


def whiskers(estimate: Interval) -> list[list[float]]:
    """Return how far the limits lie below and above the value, in ``errorbar``'s shape."""
    below = estimate.value - estimate.lower
    return [
        [below if 0 < below <= estimate.value else 0.0],
        [upper_limit(estimate) - estimate.value],
    ]


def upper_limit(estimate: Interval) -> float:
    """Return the upper limit where it is known and drawable, else the value."""
    drawable = estimate.value < estimate.upper < 10 * estimate.value
    return estimate.upper if drawable else estimate.value


def lay_out_strips(comparisons: Sequence[Comparison]) -> Strips:
    """Put every launch on one axis of time, or of order where times are unusable."""
    every = [launch for c in comparisons for launch in c.record.launches]
    positions, label = _positions(every, len({c.record.evidence.session for c in comparisons}))
    dots = []
    offset = 0
    for comparison in comparisons:
        count = len(comparison.record.launches)
        dots.append(_dots(comparison, positions[offset : offset + count]))
        offset += count
    return Strips(label, tuple(dots))


def _dots(comparison: Comparison, positions: Sequence[float]) -> tuple[Dot, ...]:
    valid = [x.summary.value_ms for x in comparison.record.valid_launches if x.summary]
    values = [x.summary.value_ms for x in comparison.record.launches if x.summary]
    latency = measured_latency(comparison)
    center = median(valid) if valid and latency else median(values) if values else 0.0
    return tuple(
        Dot(x, _deviation(launch, center), not invalid_reason(launch), tell_launch(launch))
        for launch, x in zip(comparison.record.launches, positions, strict=True)
    )


def tell_launch(launch: Launch) -> str:
    """Return a launch's round, its latency with all digits, and why it does not count."""
    latency = f"{launch.summary.value_ms!r} ms" if launch.summary else ""
    return ", ".join(filter(None, (f"round {launch.round}", latency, invalid_reason(launch))))


def _deviation(launch: Launch, center: float) -> float | None:
    if launch.summary is None or center <= 0:
        return None
    return 100 * (launch.summary.value_ms / center - 1)


def _positions(every: Sequence[Launch], sessions: int) -> tuple[list[float], str]:
    times = [_seconds(launch.started_at) for launch in every]
    known = [time for time in times if time is not None]
    if sessions > 1 or len(known) < len(every) or len(set(known)) < 2:
        return _ranks(every, times), LAUNCH_ORDER
    start, span = min(known), max(known) - min(known)
    unit, seconds = _unit(span)
    return [(time - start) / seconds for time in known], f"{unit} since the first launch"


def _ranks(every: Sequence[Launch], times: Sequence[float | None]) -> list[float]:
    def key(index: int) -> tuple[float, int, int]:
        return times[index] or 0.0, every[index].round, every[index].position

    ordered = sorted(range(len(every)), key=key)
    ranks = {index: float(rank) for rank, index in enumerate(ordered, 1)}
    return [ranks[index] for index in range(len(every))]


def _unit(span_s: float) -> tuple[str, float]:
    if span_s <= 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if span_s <= 3 * 3600 else ("hours", 3600.0)


def _seconds(stamp: str) -> float | None:
    try:
        moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
