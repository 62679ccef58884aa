"""The machine around one launch: its state before and after, and whether it spoilt the launch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ghostdeploy.runners import host

# Time that the hypervisor gave to others while ours wanted to run: above this share of the
# launch's wall time (per pinned core) a launch does not count. A tick of /proc/stat is 10 ms, so
# one or two of them say nothing about a short launch.
MAX_STEAL_SHARE = 0.05
MIN_STEAL_S = 0.03


class Watch:
    """Made right before a launch on ``cpus``; ``stop`` it right after."""

    def __init__(self, cpus: Sequence[int]) -> None:
        self.cpus = cpus
        self.fields: dict[str, Any] = {
            "round": 0,
            "position": 0,
            "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "state_before": host.state(),
        }
        self._steal_s = _read_steal_s(cpus)
        self._started = time.monotonic()

    def stop(self) -> dict[str, Any]:
        """The fields of a Launch that are known however it ended."""
        self.wall_s = time.monotonic() - self._started
        after = _read_steal_s(self.cpus)
        known = after is not None and self._steal_s is not None
        self.stolen_s = after - self._steal_s if known else None  # type: ignore[operator]
        return self.fields | {"state_after": host.state()}

    def disturbance(self, seen: Sequence[int]) -> str:
        """What spoilt a launch that could run on the cores ``seen``; "" for nothing."""
        return disturbance(self.cpus, seen, self.stolen_s, self.wall_s)


def disturbance(
    asked: Sequence[int], seen: Sequence[int], stolen_s: float | None, wall_s: float
) -> str:
    """As Watch.disturbance, of what it saw."""
    if asked and set(asked) != set(seen):
        return f"pinned to the cores {_list(asked)} but could run on {_list(seen) or 'unknown'}"
    if stolen_s is not None and stolen_s >= MIN_STEAL_S:
        share = stolen_s / (wall_s * max(1, len(asked)))
        if share > MAX_STEAL_SHARE:
            return f"the hypervisor took {share:.0%} of its time"
    return ""


def _read_steal_s(cpus: Sequence[int]) -> float | None:
    try:
        return host.steal_s(Path("/proc/stat").read_text(errors="replace"), cpus)
    except OSError:
        return None


def _list(cpus: Sequence[int]) -> str:
    return ",".join(map(str, cpus))
