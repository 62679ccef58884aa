"""The gate on an emulated core: instruction counts are exact, so one look decides."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.gate.plan import GatePlan
from ghostdeploy.commands.gate.slowdown import compare_graphs
from ghostdeploy.commands.git import identify_commit
from ghostdeploy.commands.instructions import count_instructions
from ghostdeploy.decision.budgets import judge_budget
from ghostdeploy.decision.instructions import InstructionVerdict, judge_instructions
from ghostdeploy.decision.outcome import GateModel, GateRun, Slowdown
from ghostdeploy.decision.verdict import Verdict
from ghostdeploy.errors import UsageError
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import Artifact, BenchRecord, Interval

BY_OPERATOR = "ghostdeploy report makes a table by operator of the two records"


def run_instruction_gate(plan: GatePlan, progress: Progress = ignore_progress) -> GateRun:
    """Count the instructions of both models and judge them by the policy's tolerance.

    Raises UsageError without a baseline or with a budget of times, and MeasurementError where the
    instructions cannot be counted.
    """
    baseline = plan.baseline
    if baseline is None:
        raise UsageError("a gate of instructions needs a --baseline")
    unfit = [b.title for b in plan.budgets if b.kind != "size_mb"]
    if unfit:
        raise UsageError(f"an emulated core has no times: leave the budget of {unfit[0]} out")
    started, begun_s = datetime.now(timezone.utc), time.monotonic()
    with closing(open_runner(plan.device, plan.params)) as runner:
        identity = runner.identity()
        if plan.accepted:
            plan.accepted.check_device(identity)
            plan.accepted.check_runtime(runner.runtime(plan.params))
        arms = [baseline, plan.candidate]
        before, after = count_instructions(arms, runner, plan.params, plan.out, progress)
    found = judge_instructions(_total(before), _total(after), plan.policy.tolerance)
    budgets = tuple(
        judge_budget(b, [plan.candidate.size_bytes / 1e6], plan.policy) for b in plan.budgets
    )
    over = [b for b in budgets if b.verdict == Verdict.REGRESSED]
    ratio = 1 + found.change
    return GateRun(
        name=plan.title,
        device=str(plan.device),
        verdict=Verdict.REGRESSED.value if over else found.verdict,
        why=f"{over[0].budget.title} {over[0].why}" if over else _why(found),
        policy=plan.policy,
        params=plan.params,
        candidate=_model(plan.candidate, after),
        started_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - begun_s, 1),
        baseline=_model(baseline, before),
        identity=identity,
        compared=found.verdict,
        ratio=Interval(ratio, ratio, ratio),
        budgets=budgets,
        where=_find_slowdown(found, baseline, plan.candidate),
        git=identify_commit(Path()),
    )


def _total(record: BenchRecord) -> int:
    assert record.instructions  # ``count_instructions`` made sure
    return record.instructions.total


def _model(artifact: Artifact, record: BenchRecord) -> GateModel:
    return GateModel(
        name=artifact.name,
        path=artifact.path,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        instructions=_total(record),
    )


def _why(found: InstructionVerdict) -> str:
    if found.verdict == Verdict.PASS:
        return ""
    word = "more" if found.change > 0 else "fewer"
    return f"{abs(found.change):.2%} {word} instructions"


def _find_slowdown(
    found: InstructionVerdict, baseline: Artifact, candidate: Artifact
) -> Slowdown | None:
    if found.verdict != Verdict.REGRESSED:
        return None
    return Slowdown((), BY_OPERATOR, compare_graphs(Path(baseline.path), Path(candidate.path)))
