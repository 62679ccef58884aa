"""Warm-up and regular runs, and the statistics that the program prints of them."""

from __future__ import annotations

import math
import time
from typing import Any

from ghostdeploy.fake_phone.benchmark_model.console import say


def run(interpreter: Any, least: int, least_s: float, most_s: float) -> list[int]:
    """Invoke until both minima are reached and return the durations in whole microseconds."""
    say(
        f"Running benchmark for at least {least} iterations and at least {least_s:g} seconds but"
        f" terminate if exceeding {most_s:g} seconds."
    )
    samples_us: list[int] = []
    started = now = time.monotonic()
    while (len(samples_us) < least or now < started + least_s) and (now <= started + most_s):
        begin_ns = time.monotonic_ns()
        interpreter.invoke()
        samples_us.append((time.monotonic_ns() - begin_ns) // 1000)
        now = time.monotonic()
    say(f"{format_statistics(samples_us)}\n")
    return samples_us


def format_statistics(samples_us: list[int]) -> str:
    """Return the program's line of statistics, ``count=… min=… p5=… median=…``."""
    ranked = sorted(samples_us) or [0]
    p5, median, p95 = (ranked[min(len(ranked) - 1, len(ranked) * p // 100)] for p in (5, 50, 95))
    line = f"count={len(samples_us)}"
    if samples_us and ranked[0] == ranked[-1]:
        line += f" curr={samples_us[-1]}" + ("(all same)" if len(samples_us) > 1 else "")
    elif samples_us:
        line += (
            f" first={samples_us[0]} curr={samples_us[-1]} min={ranked[0]} max={ranked[-1]}"
            f" avg={mean(samples_us):.6g} std={int(_deviation(samples_us))}"
        )
    return f"{line} p5={p5} median={median} p95={p95}"


def mean(samples_us: list[int]) -> float:
    """Return the mean, 0 of no samples."""
    return sum(samples_us) / len(samples_us) if samples_us else 0.0


def _deviation(samples_us: list[int]) -> float:
    average = mean(samples_us)
    return math.sqrt(sum((sample - average) ** 2 for sample in samples_us) / len(samples_us))
