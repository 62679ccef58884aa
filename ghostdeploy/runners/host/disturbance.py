"""The machine around one launch: its state before and after, and whether it spoilt the launch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from math import sqrt
from pathlib import Path
from typing import Any

from ghostdeploy.runners.host import machine

STAT = Path("/proc/stat")
# Time that others had of the pinned cores while ours wanted to run, be it other machines by the
# hypervisor's doing or other programs: above ``BenchParams.max_disturbance`` of the launch's wall
# time (per pinned core) a launch does not count. A tick of /proc/stat is 10 ms, so one or two of
# them say nothing about a short launch.
MIN_STEAL_S = 0.03
TICK_S = 0.01  # the longest that Linux has (CONFIG_HZ=100)
SURE = 3.0  # standard errors


@dataclass(frozen=True)
class Seen:
    """What others took of a launch's cores in ``wall_s``; None where that cannot be told.

    ``stolen_s`` went to the hypervisor's other guests, ``neighbours_s`` to other programs, while
    the launch itself computed for ``cpu_s``.
    """

    wall_s: float
    stolen_s: float | None = None
    cpu_s: float | None = None
    neighbours_s: float | None = None


class Watch:
    """Made right before a launch of ``threads`` on ``cpus``; ``stop`` it right after.

    ``max_share`` is what others may take of those cores' time.

    The process must have been waited for by then, as its CPU time is not told earlier. Every
    child that ends in between is taken for the launch's own.
    """

    def __init__(self, cpus: Sequence[int], threads: int, max_share: float) -> None:
        self.cpus, self.threads, self.max_share = cpus, threads, max_share
        self.fields: dict[str, Any] = {
            "round": 0,
            "position": 0,
            "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "state_before": machine.state(),
        }
        self._before = _look(cpus)

    def stop(self) -> dict[str, Any]:
        """The fields of a Launch that are known however it ended."""
        self.seen = between(self._before, _look(self.cpus))
        return self.fields | {
            "state_after": machine.state(),
            "cpu_s": self.seen.cpu_s,
            "neighbours_s": self.seen.neighbours_s,
        }

    def disturbance(self, cpus: Sequence[int]) -> str:
        """What spoilt a launch that could run on the cores ``cpus``; "" for nothing."""
        return disturbance(self.cpus, cpus, self.threads, self.seen, self.max_share)


@dataclass(frozen=True)
class Counters:
    """What the kernel has counted so far, of the cores to pin to; ``busy_s`` None for no pin."""

    at_s: float
    steal_s: float | None
    busy_s: float | None
    children_s: float | None


def between(before: Counters, after: Counters) -> Seen:
    """What happened from ``before`` to ``after``."""
    cpu_s = _difference(after.children_s, before.children_s)
    return Seen(
        wall_s=after.at_s - before.at_s,
        stolen_s=_difference(after.steal_s, before.steal_s),
        cpu_s=cpu_s,
        neighbours_s=_difference(_difference(after.busy_s, before.busy_s), cpu_s),
    )


def disturbance(
    asked: Sequence[int], allowed: Sequence[int], threads: int, seen: Seen, max_share: float
) -> str:
    """What spoilt a launch pinned to ``asked`` that could run on ``allowed``; "" for nothing.

    More cores than ``threads`` leave room for neighbours: only what they had beyond it counts.
    """
    if asked and set(asked) != set(allowed):
        return f"pinned to the cores {_list(asked)} but could run on {_list(allowed) or 'unknown'}"
    time_s = seen.wall_s * max(1, len(asked))
    if seen.stolen_s is not None and _too_much(seen.stolen_s, time_s, MIN_STEAL_S, max_share):
        return f"the hypervisor took {seen.stolen_s / time_s:.0%} of its time"
    if seen.neighbours_s is not None:
        wanted_s = seen.wall_s * min(threads, max(1, len(asked)))
        taken_s = seen.neighbours_s - (time_s - wanted_s)
        at_least_s = max(MIN_STEAL_S, _counting_error_s(seen, time_s))
        if _too_much(taken_s, wanted_s, at_least_s, max_share):
            return f"other programs took {taken_s / wanted_s:.0%} of its cores' time"
    return ""


def _too_much(taken_s: float, time_s: float, at_least_s: float, max_share: float) -> bool:
    return taken_s >= at_least_s and taken_s / time_s > max_share


def _counting_error_s(seen: Seen, time_s: float) -> float:
    """By how much the busy time of cores may be wrong that only the launch used.

    Each tick is one draw of whether the launch computes: a binomial, so n ticks with the share p
    have the standard error sqrt(n·p·(1 - p)). It is none for a launch that always computes.
    """
    share = min(1.0, (seen.cpu_s or 0.0) / time_s)
    return SURE * TICK_S * sqrt(time_s / TICK_S * share * (1 - share))


def _look(cpus: Sequence[int]) -> Counters:
    try:
        stat = STAT.read_text(errors="replace")
    except OSError:
        stat = ""
    return Counters(
        at_s=time.monotonic(),
        steal_s=machine.steal_s(stat, cpus),
        busy_s=machine.busy_s(stat, cpus) if cpus else None,
        children_s=machine.children_cpu_s(),
    )


def _difference(after: float | None, before: float | None) -> float | None:
    """Never negative: counters of different clocks disagree by a tick."""
    return max(0.0, after - before) if after is not None and before is not None else None


def _list(cpus: Sequence[int]) -> str:
    return ",".join(map(str, cpus))
