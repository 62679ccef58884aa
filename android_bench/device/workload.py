"""Time a fixed piece of arithmetic on the device: it takes longer once the CPU is throttled.

For phones that tell no thermal status, before Android 10. Jetpack Benchmark's ThrottleDetector
does the same; more than 1.10 times the baseline is throttled.
"""

from __future__ import annotations

from dataclasses import dataclass

from android_bench.device.affinity import build_taskset
from android_bench.device.shell import Shell
from android_bench.device.values import parse_uptime, split_lines

THROTTLED = 1.10
TARGET_S = 1.0  # /proc/uptime ticks in hundredths: one tick is 1 % of this
_FIRST_TRY = 20_000
_MOST = 50_000_000
_TIMEOUT_S = 120.0
_TRIES = 3


@dataclass(frozen=True)
class Workload:
    """A workload is some rounds on the CPUs of a mask ("": any), with their unthrottled time."""

    rounds: int
    mask: str
    baseline_s: float


def calibrate(shell: Shell, mask: str = "") -> Workload | None:
    """Find a workload of about TARGET_S seconds and its baseline, while the device is cool.

    None where the device cannot time it. Raises OptionError for a bad mask, and what ``shell``
    raises.
    """
    rounds = _FIRST_TRY
    while True:
        took_s = _time(shell, rounds, mask)
        if took_s is None:
            return None
        if took_s >= TARGET_S / 2 or rounds >= _MOST:
            break
        rounds = min(_MOST, int(rounds * min(10.0, TARGET_S / max(took_s, 0.01))) + 1)
    baseline_s = _best(shell, rounds, mask)
    return Workload(rounds, mask, baseline_s) if baseline_s else None


def measure_slowdown(shell: Shell, workload: Workload) -> float | None:
    """Return how many times its baseline the workload takes, the best of three; None: unknown."""
    now_s = _best(shell, workload.rounds, workload.mask)
    return None if now_s is None else now_s / workload.baseline_s


def _best(shell: Shell, rounds: int, mask: str) -> float | None:
    times = [_time(shell, rounds, mask) for _ in range(_TRIES)]
    return min((took_s for took_s in times if took_s is not None), default=None)


def _time(shell: Shell, rounds: int, mask: str) -> float | None:
    prefix = " ".join(build_taskset(mask))
    # the wall clock may be set at any time, and old shells have no other
    script = (
        f"cat /proc/uptime; i=0; while [ $i -lt {int(rounds)} ]; do i=$((i+1)); done;"
        " cat /proc/uptime"
    )
    lines = [
        parse_uptime(line.encode() + b"\n")
        for line in split_lines(shell.shell(f"{prefix} sh -c '{script}'", _TIMEOUT_S).stdout)
    ]
    if len(lines) != 2 or lines[0] is None or lines[1] is None:
        return None
    return lines[1] - lines[0] if lines[1] >= lines[0] else None
