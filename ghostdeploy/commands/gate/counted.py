"""The gate on an emulated core: instruction counts are exact, so one look decides."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.count import count
from ghostdeploy.commands.gate.request import GateRequest
from ghostdeploy.commands.gate.where import graphs
from ghostdeploy.commands.git import git_identity
from ghostdeploy.errors import UsageError
from ghostdeploy.gate.budgets import judge_budget as judge_budget
from ghostdeploy.gate.instructions import InstructionVerdict, judge_instructions
from ghostdeploy.gate.outcome import GateModel, GateRun, Slowdown
from ghostdeploy.gate.verdict import Verdict
from ghostdeploy.progress import Progress, silent
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import Artifact, BenchRecord, Interval

SCHEME = "qemu"
BY_OPERATOR = "ghostdeploy report makes a table by operator of the two records"


def is_counted(device: str) -> bool:
    return device.partition(":")[0] == SCHEME


def run_counted(request: GateRequest, progress: Progress = silent) -> GateRun:
    """As ``run_gate``, of instructions. Raises MeasurementError where they cannot be counted."""
    baseline = request.baseline
    if baseline is None:
        raise UsageError("a gate of instructions needs a --baseline")
    unfit = [b.title for b in request.budgets if b.kind != "size_mb"]
    if unfit:
        raise UsageError(f"an emulated core has no times: leave the budget of {unfit[0]} out")
    started, begun_s = datetime.now(timezone.utc), time.monotonic()
    with closing(open_runner(request.device, request.params)) as runner:
        identity = runner.identity()
        if request.accepted:
            request.accepted.check_device(identity)
            request.accepted.check_runtime(runner.runtime(request.params))
        arms = [baseline, request.candidate]
        before, after = count(arms, runner, request.params, request.out, progress)
    found = judge_instructions(_total(before), _total(after), request.policy.tolerance)
    budgets = tuple(
        judge_budget(b, [request.candidate.size_bytes / 1e6], request.policy)
        for b in request.budgets
    )
    over = [b for b in budgets if b.verdict == Verdict.REGRESSED]
    ratio = 1 + found.change
    return GateRun(
        name=request.title,
        device=request.device,
        verdict=Verdict.REGRESSED.value if over else found.verdict,
        why=f"{over[0].budget.title} {over[0].why}" if over else _why(found),
        policy=request.policy,
        params=request.params,
        candidate=_model(request.candidate, after),
        started_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - begun_s, 1),
        baseline=_model(baseline, before),
        identity=identity,
        compared=found.verdict,
        ratio=Interval(ratio, ratio, ratio),
        budgets=budgets,
        where=_where(found, baseline, request.candidate),
        git=git_identity(Path()),
    )


def _total(record: BenchRecord) -> int:
    assert record.instructions  # ``count`` made sure
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


def _where(found: InstructionVerdict, baseline: Artifact, candidate: Artifact) -> Slowdown | None:
    if found.verdict != Verdict.REGRESSED:
        return None
    return Slowdown((), BY_OPERATOR, graphs(Path(baseline.path), Path(candidate.path)))
