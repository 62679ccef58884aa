"""Launch by launch: what each said, and the device's state around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ghostdeploy.report.latency.summary import invalid_reason
from ghostdeploy.report.parts.grid import Grid, drop_empty_columns, format_count, format_cpus
from ghostdeploy.report.parts.numbers import ABSENT, format_number, format_range
from ghostdeploy.schema import Comparison, DeviceState, Launch

STDERR_TAIL = 300  # characters


def state_table(comparisons: Sequence[Comparison]) -> Grid:
    """Return the device's state around the launches: the range before … and after them."""
    header = (
        "Model",
        "CPUs read back",
        "Load (1 min)",
        "Other programs, all cores",
        "Other programs, its cores",
        "Hottest (°C)",
        "Frequency (% of max)",
        "Stolen CPU time",
        "Governor",
        "Free memory (MB)",
        "Battery",
        "Thermal status",
    )
    grid = Grid(header, tuple(map(_state_row, comparisons)))
    return drop_empty_columns(grid)


def launch_table(comparison: Comparison) -> Grid:
    """Return every launch in order of round and position."""
    header = (
        "Round",
        "Started",
        "Latency (ms)",
        "Min (ms)",
        "p95 (ms)",
        "Max (ms)",
        "Runs",
        "°C",
        "Valid",
    )
    ordered = sorted(comparison.record.launches, key=lambda x: (x.round, x.position))
    return Grid(header, tuple(map(_launch_row, ordered)), frozenset({0, *range(2, 8)}))


def failure_table(comparison: Comparison) -> Grid:
    """Return the launches that do not count, with the end of what they wrote to stderr."""
    bad = [launch for launch in comparison.record.launches if invalid_reason(launch)]
    rows = tuple(
        (
            format_count(x.round),
            invalid_reason(x),
            format_count(x.returncode),
            x.stderr[-STDERR_TAIL:],
        )
        for x in bad
    )
    return Grid(("Round", "Reason", "Exit code", "End of stderr"), rows, frozenset({0, 2}))


def _state_row(comparison: Comparison) -> tuple[str, ...]:
    all_launches = comparison.record.launches
    before = [launch.state_before for launch in all_launches]
    after = [launch.state_after for launch in all_launches]
    both = before + after
    cores = comparison.record.device.cores
    masks = dict.fromkeys(format_cpus(launch.cpus) for launch in all_launches if launch.cpus)
    return (
        comparison.title,
        "; ".join(masks) or ABSENT,
        _before_after(before, after, lambda s: s.load_1min, 2),
        _percents(x.others_share(cores) for x in all_launches),
        _percents(x.neighbours_share for x in all_launches),
        _before_after(before, after, lambda s: s.max_temp_c, 1),
        format_range((_frequency_share(s) for s in both), "%", 0),
        _stolen(all_launches, cores),
        ", ".join(dict.fromkeys(s.governor for s in both if s.governor)) or ABSENT,
        format_range((s.mem_available_mb for s in both), places=0),
        format_range((s.battery_percent for s in both), "%", 0),
        format_range((s.thermal_status for s in both), places=0),
    )


def _before_after(
    before: Sequence[DeviceState],
    after: Sequence[DeviceState],
    of: Callable[[DeviceState], float | None],
    places: int,
) -> str:
    first, last = (
        format_range(map(of, before), places=places),
        format_range(map(of, after), places=places),
    )
    if (first, last) == (ABSENT, ABSENT):
        return ABSENT
    return f"before {first}, after {last}"


def _frequency_share(moment: DeviceState) -> float | None:
    """Return the slowest core's frequency as % of its maximum."""
    pairs = zip(moment.cur_freq_khz, moment.max_freq_khz, strict=False)
    shares = [100 * now / top for now, top in pairs if top]
    return min(shares, default=None)


def _percents(shares: Iterable[float | None]) -> str:
    return format_range((100 * x for x in shares if x is not None), "%", 0)


def _stolen(all_launches: Sequence[Launch], cores: int) -> str:
    """Return seconds that the hypervisor gave to others while launches ran, and their share."""
    pairs = [(x.state_before, x.state_after) for x in all_launches]
    known = [
        (after.cpu_steal_s - before.cpu_steal_s, after.uptime_s - before.uptime_s)
        for before, after in pairs
        if before.cpu_steal_s is not None
        and after.cpu_steal_s is not None
        and before.uptime_s is not None
        and after.uptime_s is not None
    ]
    stolen, elapsed = sum(s for s, _ in known), sum(e for _, e in known)
    if elapsed <= 0:
        return ABSENT
    share = stolen / (elapsed * max(1, cores))
    return f"{stolen:.2f} s ({100 * share:.2f} %)"


def _launch_row(launch: Launch) -> tuple[str, ...]:
    summary = launch.summary
    before, after = launch.state_before.max_temp_c, launch.state_after.max_temp_c
    return (
        format_count(launch.round),
        _moment(launch.started_at),
        format_number(summary.value_ms if summary else None),
        format_number(summary.min_ms if summary else None),
        format_number(summary.p95_ms if summary else None),
        format_number(summary.max_ms if summary else None),
        format_count(summary.count if summary else None),
        ABSENT if before is None and after is None else f"{_degrees(before)} → {_degrees(after)}",
        "yes" if not invalid_reason(launch) else f"no: {invalid_reason(launch)}",
    )


def _moment(stamp: str) -> str:
    """Return whole seconds, enough for a reader; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(stamp).isoformat(sep=" ", timespec="seconds")
    except ValueError:
        return stamp


def _degrees(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1f}"
