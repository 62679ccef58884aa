"""Is the candidate slower than the baseline, on this device, now?

Both run in one session, in turns, one fresh process each; ``decision.PairedGate`` decides after
which pair enough is known. Budgets are judged at the same looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.gate.instructions import run_instruction_gate
from ghostdeploy.commands.gate.plan import GatePlan, check_inputs
from ghostdeploy.commands.gate.trial import Trial, value_ms
from ghostdeploy.commands.git import identify_commit
from ghostdeploy.decision import Discard, GateResult, Verdict
from ghostdeploy.decision.budgets import combine_verdicts
from ghostdeploy.decision.outcome import GateModel, GateRun
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.schema import Artifact, Interval
from ghostdeploy.stats import launches as stats

SLOW_SHARE = 0.15  # of a candidate's launches, above which a verdict needs a word of caution


def run_gate(plan: GatePlan, progress: Progress = ignore_progress) -> GateRun:
    """Judge by instructions on a device that counts them, by times on any other.

    Raises what the two kinds of gates raise.
    """
    run = run_instruction_gate if plan.device.counts_instructions else run_timed_gate
    return run(plan, progress)


def run_timed_gate(plan: GatePlan, progress: Progress = ignore_progress) -> GateRun:
    """Measure and judge; a device that fails on the way is the verdict ``invalid``.

    Records are written after each launch. Raises UsageError and InputFileError for a request or a
    file that cannot be measured at all.
    """
    check_inputs(plan)
    started = datetime.now(timezone.utc)
    trial = Trial(plan, progress)
    trial.run()
    run = _summarize(trial, started)
    return replace(run, why=_why(run), warnings=tuple(_warnings(run, plan)))


def _summarize(trial: Trial, started: datetime) -> GateRun:
    plan, result = trial.plan, trial.gate.result if trial.gate else None
    verdict, compared, why = _judge(trial, result)
    noise = result.noise if result and result.measured_pairs > 1 else None
    enough = result is not None and result.valid_pairs >= plan.policy.looks[0]
    baseline = _model(trial, 0, plan.baseline) if plan.baseline else None
    return GateRun(
        name=plan.title,
        device=str(plan.device),
        verdict=verdict.value,
        why=why,
        policy=plan.policy,
        params=plan.params,
        candidate=_model(trial, plan.candidate_arm, plan.candidate),
        started_at=started.isoformat(timespec="seconds"),
        duration_s=round(trial.duration_s, 1),
        baseline=baseline,
        identity=trial.identity,
        compared=compared.value if compared else "",
        ratio=_ratio(result),
        p95_ratio=_p95_ratio(trial),
        noise=noise,
        resolution=plan.policy.resolution(noise) if enough and noise is not None else None,
        valid_pairs=result.valid_pairs if result else 0,
        attempted=trial.gate.attempted if trial.gate else 0,
        discards=tuple(_discards(trial, result)),
        slow_baseline=result.slow_baseline if result else 0,
        slow_candidate=result.slow_candidate if result else 0,
        budgets=tuple(trial.budgets.values()),
        where=trial.slowdown,
        git=identify_commit(Path()),
    )


def _why(run: GateRun) -> str:
    """Return the reason, with an example where too many pairs were dropped."""
    if run.said is Verdict.INVALID and run.valid_pairs < run.policy.looks[0] and run.discards:
        first = run.discards[0]
        return f"{run.why} (pair {first.pair + 1}: {first.why})"
    return run.why


def _judge(trial: Trial, result: GateResult | None) -> tuple[Verdict, Verdict | None, str]:
    """Return the verdict all in all, that on the baseline alone, and why.

    What ended undecided is invalid.
    """
    compared, why = None, trial.failure
    if result:
        compared = result.verdict or Verdict.INVALID
        why = result.why or trial.failure
    elif trial.failure:
        compared = Verdict.INVALID
    budgets = trial.budgets.values()
    verdict = combine_verdicts([*filter(None, [compared]), *(Verdict(b.verdict) for b in budgets)])
    if verdict != compared:
        whys = [f"{b.budget.title} {b.why}" for b in budgets if b.verdict == verdict]
        why = "; ".join(whys)
    return verdict, compared if result else None, why


def _model(trial: Trial, arm: int, artifact: Artifact) -> GateModel:
    record = trial.record(arm)
    values = [value_ms(launch) for launch in record.valid_launches] if record else []
    kept = trial.session.arms[arm].path if trial.session else None
    return GateModel(
        name=artifact.name,
        path=artifact.path,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        latency_ms=stats.median_interval(values) if values else None,
        record=str(kept) if kept and kept.exists() else "",
    )


def _discards(trial: Trial, result: GateResult | None) -> Iterator[Discard]:
    """Return the pairs that do not count, with what the device says against their launches."""
    for discard in result.discards if result else ():
        yield replace(discard, why=_evidence(trial, discard.pair) or discard.why)


def _evidence(trial: Trial, pair: int) -> str:
    arms = zip(("baseline", "candidate"), trial.session.arms if trial.session else (), strict=False)
    whys = [
        f"{name}: {launch.why_not}"
        for name, arm in arms
        for launch in arm.record.launches
        if launch.round == pair and launch.why_not
    ]
    return "; ".join(whys)


def _p95_ratio(trial: Trial) -> Interval | None:
    """Return the ratio of the launches' 95th percentiles, None where programs tell none."""
    baseline, candidate = trial.record(0), trial.record(1) if trial.gate else None
    if baseline is None or candidate is None:
        return None
    before, after = (
        {x.round: x.summary.p95_ms for x in record.valid_launches if x.summary}
        for record in (baseline, candidate)
    )
    logs = [
        math.log(late / early)
        for number, early in before.items()
        if early and (late := after.get(number))
    ]
    policy = trial.plan.policy
    if len(logs) < policy.fewest_pairs:
        return None
    found = stats.signed_rank_interval(logs, policy.confidence)
    return Interval(math.exp(found.value), math.exp(found.lower), math.exp(found.upper))


def _ratio(result: GateResult | None) -> Interval | None:
    if result is None or not math.isfinite(result.upper):
        return None
    return Interval(result.ratio, result.lower, result.upper)


def _warnings(run: GateRun, plan: GatePlan) -> Iterator[str]:
    """Tell what the verdict does not say, and a reader should know."""
    if run.baseline and run.baseline.sha256 == run.candidate.sha256:
        yield "the candidate is the baseline, byte for byte"
    slower_tail = run.p95_ratio and run.p95_ratio.lower > 1 + run.policy.delta
    if run.p95_ratio and slower_tail and run.compared != Verdict.REGRESSED:
        yield (
            f"the slowest runs got slower: the 95th percentile by at least"
            f" {run.p95_ratio.lower - 1:.1%}"
        )
    excess = run.slow_candidate - run.slow_baseline
    if run.attempted and excess > 0 and run.slow_candidate >= SLOW_SHARE * run.attempted:
        yield (
            f"{run.slow_candidate} of the candidate's {run.attempted} launches were slow,"
            f" {run.slow_baseline} of the baseline's"
        )
    if run.resolution is not None and run.policy.tolerance + run.resolution > run.policy.delta:
        yield (
            f"too noisy for delta {run.policy.delta:.1%}: launches vary by {run.noise:.1%}, so"
            f" {run.policy.tolerance + run.resolution:.1%} is what it catches nine times in ten"
        )
    accepted = plan.accepted
    if accepted and run.identity and accepted.identity.fingerprint != run.identity.fingerprint:
        yield (
            f"the device's system changed since the baseline was accepted:"
            f" {accepted.identity.fingerprint or 'unknown'} → {run.identity.fingerprint}"
        )
