"""The machine around one launch: its state before and after, and whether it spoilt the launch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from math import sqrt
from pathlib import Path

from ghostdeploy.runners.host import machine
from ghostdeploy.schema import Launch

STAT = Path("/proc/stat")
# Time that others had of the pinned cores while ours wanted to run, be it other machines by the
# hypervisor's doing or other programs: above ``BenchParams.max_disturbance`` of the launch's wall
# time (per pinned core) a launch does not count. A tick of /proc/stat is 10 ms, so one or two of
# them say nothing about a short launch.
MIN_STEAL_S = 0.03
TICK_S = 0.01  # the longest that Linux has (CONFIG_HZ=100)
SURE = 3.0  # standard errors


@dataclass(frozen=True)
class CoreTime:
    """The time that others took of a launch's cores in ``wall_s``; None where it cannot be told.

    ``stolen_s`` went to the hypervisor's other guests, ``neighbours_s`` to other programs, while
    the launch itself computed for ``cpu_s``.
    """

    wall_s: float
    stolen_s: float | None = None
    cpu_s: float | None = None
    neighbours_s: float | None = None


class LaunchWatch:
    """A watch over a launch of ``threads`` on ``cpus``, made right before it and stopped after.

    ``max_share`` is what others may take of those cores' time.

    The process must have been waited for when the watch is stopped, as its CPU time is not told
    earlier. Every child that ends in between is taken for the launch's own.
    """

    def __init__(self, cpus: Sequence[int], threads: int, max_share: float) -> None:
        self.cpus, self.threads, self.max_share = cpus, threads, max_share
        self._begun = Launch(
            round=0,
            position=0,
            started_at=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            argv=(),
            summary=None,
            valid=False,
            state_before=machine.read_machine_state(),
        )
        self._before = _look(cpus)

    def stop(self, argv: tuple[str, ...]) -> Launch:
        """Return what is known of the launch of ``argv`` however it ended, as one not valid yet."""
        self.taken = compare_counters(self._before, _look(self.cpus))
        return replace(
            self._begun,
            argv=argv,
            state_after=machine.read_machine_state(),
            cpu_s=self.taken.cpu_s,
            neighbours_s=self.taken.neighbours_s,
        )

    def find_disturbance(self, cpus: Sequence[int]) -> str:
        """Return what spoilt a launch that could run on the cores ``cpus``; "" for nothing."""
        return find_disturbance(self.cpus, cpus, self.threads, self.taken, self.max_share)


@dataclass(frozen=True)
class CpuCounters:
    """The kernel's counters of the cores to pin to, at one time; ``busy_s`` is None for no pin."""

    at_s: float
    steal_s: float | None
    busy_s: float | None
    children_s: float | None


def compare_counters(before: CpuCounters, after: CpuCounters) -> CoreTime:
    """Return what happened from ``before`` to ``after``."""
    cpu_s = _difference(after.children_s, before.children_s)
    return CoreTime(
        wall_s=after.at_s - before.at_s,
        stolen_s=_difference(after.steal_s, before.steal_s),
        cpu_s=cpu_s,
        neighbours_s=_difference(_difference(after.busy_s, before.busy_s), cpu_s),
    )


def find_disturbance(
    asked: Sequence[int], allowed: Sequence[int], threads: int, taken: CoreTime, max_share: float
) -> str:
    """Return what spoilt a launch pinned to ``asked`` that could run on ``allowed``, or "".

    More cores than ``threads`` leave room for neighbours: only what they had beyond it counts.
    """
    if asked and set(asked) != set(allowed):
        return f"pinned to the cores {_list(asked)} but could run on {_list(allowed) or 'unknown'}"
    time_s = taken.wall_s * max(1, len(asked))
    if taken.stolen_s is not None and _too_much(taken.stolen_s, time_s, MIN_STEAL_S, max_share):
        return f"the hypervisor took {taken.stolen_s / time_s:.0%} of its time"
    if taken.neighbours_s is not None:
        wanted_s = taken.wall_s * min(threads, max(1, len(asked)))
        lost_s = taken.neighbours_s - (time_s - wanted_s)
        at_least_s = max(MIN_STEAL_S, _counting_error_s(taken, time_s))
        if _too_much(lost_s, wanted_s, at_least_s, max_share):
            return f"other programs took {lost_s / wanted_s:.0%} of its cores' time"
    return ""


def _too_much(taken_s: float, time_s: float, at_least_s: float, max_share: float) -> bool:
    return taken_s >= at_least_s and taken_s / time_s > max_share


def _counting_error_s(taken: CoreTime, time_s: float) -> float:
    """Return by how much the busy time of cores may be wrong that only the launch used.

    Each tick is one draw of whether the launch computes: a binomial, so n ticks with the share p
    have the standard error sqrt(n·p·(1 - p)). It is none for a launch that always computes.
    """
    share = min(1.0, (taken.cpu_s or 0.0) / time_s)
    return SURE * TICK_S * sqrt(time_s / TICK_S * share * (1 - share))


def _look(cpus: Sequence[int]) -> CpuCounters:
    try:
        stat = STAT.read_text(errors="replace")
    except OSError:
        stat = ""
    return CpuCounters(
        at_s=time.monotonic(),
        steal_s=machine.parse_steal_s(stat, cpus),
        busy_s=machine.parse_busy_s(stat, cpus) if cpus else None,
        children_s=machine.read_children_cpu_s(),
    )


def _difference(after: float | None, before: float | None) -> float | None:
    """Return a difference that is never negative: two clocks' counters disagree by a tick."""
    return max(0.0, after - before) if after is not None and before is not None else None


def _list(cpus: Sequence[int]) -> str:
    return ",".join(map(str, cpus))
