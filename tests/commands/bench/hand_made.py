"""Records of launches whose times a test writes down."""

from __future__ import annotations

import math
import random

from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    DeviceIdentity,
    DeviceState,
    Evidence,
    LatencySummary,
    Launch,
)

DEVICE = DeviceIdentity("adb", "10.0.0.2:5555", "Phone", "soc", "aarch64", "Android", 8)


def record_of(
    values, *, name="m", session="s", device=DEVICE, invalid=(), params=None, others=(), **state
) -> BenchRecord:
    """``others``: the share of the processor that other programs used, launch by launch."""
    shares = [*others, *[None] * len(values)]
    launches = tuple(
        Launch(
            round=n,
            position=0,
            started_at="t",
            argv=(),
            summary=LatencySummary(5, value, value, value, value),
            valid=n not in invalid,
            why_not="too hot" if n in invalid else "",
            state_before=DeviceState(**state, cpu_busy_s=100.0, uptime_s=50.0),
            state_after=DeviceState(
                cpu_busy_s=102.0 + 2.0 * device.cores * (shares[n] or 0.0), uptime_s=52.0
            ),
            cpu_s=None if shares[n] is None else 2.0,
            cpus=(7,),
        )
        for n, value in enumerate(values)
    )
    artifact = Artifact(f"{name}.tflite", "0" * 64, 1, "tflite", "fp32")
    evidence = Evidence("0" * 64, "litert", "1", "1", "0.1.0", session, (name,), "t")
    return BenchRecord(artifact, device, params or BenchParams(), evidence, launches)


def steady(n=10, centre=30.0, seed=1, sd=0.003):
    rng = random.Random(seed)
    return [centre * math.exp(rng.gauss(0, sd)) for _ in range(n)]
