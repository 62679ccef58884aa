"""``ghostdeploy gate --calibrate``: a file against itself, to learn what a device resolves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy.commands.gate.baselines import ROOT, Calibration, write_calibration
from ghostdeploy.commands.gate.request import GateRequest
from ghostdeploy.commands.gate.run import run_gate
from ghostdeploy.errors import MeasurementError
from ghostdeploy.gate import Verdict
from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.progress import Progress, silent

HONEST = (Verdict.PASS, Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Calibrated:
    """``decides``: whether the policy asked for can be held to on this device."""

    run: GateRun
    calibration: Calibration
    path: Path
    decides: bool


def calibrate(request: GateRequest, root: Path = ROOT, progress: Progress = silent) -> Calibrated:
    """Measure ``request.candidate`` against itself, all pairs up to the last look, and keep it.

    Raises MeasurementError where nothing can be learnt: too noisy, or one file differs from itself.
    """
    policy = request.policy
    once = replace(policy, looks=(policy.looks[-1],))
    run = run_gate(replace(request, baseline=request.candidate, policy=once), progress)
    if run.said not in HONEST or run.noise is None or run.identity is None:
        how = "" if run.said is Verdict.INVALID else "the same file differs from itself: "
        raise MeasurementError(f"{request.device} cannot be calibrated: {how}{run.why}")
    calibration = Calibration(
        device=request.device,
        identity=run.identity,
        noise=run.noise,
        resolution=policy.resolution(run.noise),
        valid_pairs=run.valid_pairs,
        measured_at=run.started_at,
    )
    path = write_calibration(calibration, root)
    return Calibrated(run, calibration, path, policy.can_decide(run.noise))
