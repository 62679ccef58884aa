"""A device whose latencies and faults a test writes down, behind the same protocol as a phone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ghostdeploy import runners
from ghostdeploy.runners import RuntimeEvidence
from ghostdeploy.schema import (
    BenchParams,
    DeviceIdentity,
    DeviceState,
    LatencySummary,
    Launch,
    OpTime,
)

PHONE = DeviceIdentity("scripted", "S1", "Pixel", "Tensor", "arm64", "Android 15", 8, "build/1")


@dataclass
class Script:
    """``factor`` of each file's stem; ``spoil(number, launch)`` may change any launch or raise."""

    factor: dict[str, float] = field(default_factory=dict)
    sd: float = 0.004
    spoil: Callable[[int, Launch], Launch] = lambda number, launch: launch
    identity: DeviceIdentity = PHONE
    runtime: RuntimeEvidence = field(
        default_factory=lambda: RuntimeEvidence("litert", "1.0", "ab" * 32)
    )
    profiles: dict[str, tuple[OpTime, ...]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0


class ScriptedRunner:
    """Made by ``open_runner("scripted", …)`` once ``install`` has put it into the table."""

    script = Script()

    writes_outputs = False

    def __init__(self, target: str, params: BenchParams, access: object) -> None:
        self.script.opened += 1
        self.random = random.Random(self.script.opened)

    def identity(self) -> DeviceIdentity:
        return self.script.identity

    def state(self) -> DeviceState:
        return DeviceState()

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        return self.script.runtime

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        script, stem = self.script, model_path.stem
        script.seen.append(stem)
        noise = math.exp(self.random.gauss(0, script.sd))
        ms = 30 * script.factor.get(stem, 1.0) * noise
        launch = Launch(
            round=0,
            position=0,
            started_at="2026-01-01T00:00:00+00:00",
            argv=("benchmark_model", str(model_path)),
            summary=LatencySummary(50, ms, ms, ms, ms, ms, ms),
            peak_mem_mb=100 * script.factor.get(stem, 1.0),
            profile=script.profiles.get(stem, ()) if params.profile else (),
        )
        return script.spoil(len(script.seen) - 1, launch)

    def warnings(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self.script.closed += 1


def install(monkeypatch, script: Script) -> Script:
    """For the test that asks for it."""
    monkeypatch.setattr(ScriptedRunner, "script", script)
    monkeypatch.setattr(
        runners, "RUNNERS", {**runners.RUNNERS, "scripted": f"{__name__}:ScriptedRunner"}
    )
    return script


def killed(launch: Launch) -> Launch:
    return replace(launch, summary=None, valid=False, why_not="killed by SIGKILL (out of memory?)")


def hot(launch: Launch, factor: float = 1.4) -> Launch:
    assert launch.summary
    ms = launch.summary.mean_ms * factor
    slow = LatencySummary(50, ms, ms, ms, ms, ms, ms)
    return replace(launch, summary=slow, valid=False, why_not="thermal status 2")
