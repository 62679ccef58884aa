"""``ghostdeploy gate --calibrate``: a file against itself, to learn what a device resolves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy.commands.gate.baselines import ROOT, DeviceCalibration, write_calibration
from ghostdeploy.commands.gate.plan import GatePlan
from ghostdeploy.commands.gate.run import run_timed_gate
from ghostdeploy.decision import Verdict
from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.errors import MeasurementError
from ghostdeploy.progress import Progress, ignore_progress

HONEST = (Verdict.PASS, Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class CalibrationOutcome:
    """What was learnt, by which run, and the file that keeps it.

    ``decides`` tells whether the policy that was asked for can be held to on this device.
    """

    run: GateRun
    calibration: DeviceCalibration
    path: Path
    decides: bool


def calibrate(
    plan: GatePlan, root: Path = ROOT, progress: Progress = ignore_progress
) -> CalibrationOutcome:
    """Measure the candidate against itself, in all pairs up to the last look, and keep the result.

    Raises MeasurementError where nothing can be learnt: too noisy, or one file differs from itself.
    """
    policy = plan.policy
    once = replace(policy, looks=(policy.looks[-1],))
    run = run_timed_gate(replace(plan, baseline=plan.candidate, policy=once), progress)
    if run.said not in HONEST or run.noise is None or run.identity is None:
        how = "" if run.said is Verdict.INVALID else "the same file differs from itself: "
        raise MeasurementError(f"{plan.device} cannot be calibrated: {how}{run.why}")
    calibration = DeviceCalibration(
        device=str(plan.device),
        identity=run.identity,
        noise=run.noise,
        resolution=policy.resolution(run.noise),
        valid_pairs=run.valid_pairs,
        measured_at=run.started_at,
    )
    path = write_calibration(calibration, root)
    return CalibrationOutcome(run, calibration, path, policy.can_decide(run.noise))
