"""What a user asks of a gate: nothing is exported, opened or looked up yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.gate.baselines import ROOT
from ghostdeploy.gate import GatePolicy
from ghostdeploy.gate.budgets import Budget
from ghostdeploy.runners import Device
from ghostdeploy.schema import BenchParams


@dataclass(frozen=True)
class NamedModel:
    """A model as the user names it: ``source`` is the file, or how it is exported.

    The formats of an export are left to the runtime, which an accepted baseline may pin.
    """

    name: str
    source: Path | ExportRequest


@dataclass(frozen=True)
class GateRequest:
    """A candidate, what it is held against, and by what it is judged.

    ``baseline`` is a model file or an accepted baseline (.json), None for the one that is accepted
    on the device; with ``budgets_alone`` there is none. ``others`` are the models that ratio
    budgets name. ``given`` are the names of the options that the user gave: an accepted baseline
    pins parameters, and they must not contradict it. ``wait_s`` is how long to queue for the
    device, ``time_s`` how long to measure at most, ``out`` the folder of the records.
    """

    candidate: NamedModel
    device: Device
    params: BenchParams
    baseline: Path | None = None
    budgets_alone: bool = False
    policy: GatePolicy = field(default_factory=GatePolicy)
    budgets: tuple[Budget, ...] = ()
    others: tuple[NamedModel, ...] = ()
    baselines: Path = ROOT
    given: frozenset[str] = frozenset()
    name: str = ""
    out: Path = Path("reports")
    wait_s: float = 3600.0
    adb: str = ""
    time_s: float = math.inf


@dataclass(frozen=True)
class CalibrationRequest:
    """What is measured against itself, to learn what differences a device can resolve.

    That is ``model``, or the accepted baseline that the file ``baseline`` holds; with neither, the
    baseline that is accepted on the device. The rest is as in GateRequest.
    """

    device: Device
    params: BenchParams
    policy: GatePolicy
    model: NamedModel | None = None
    baseline: Path | None = None
    baselines: Path = ROOT
    out: Path = Path("reports")
    wait_s: float = 3600.0
    adb: str = ""
