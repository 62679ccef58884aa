"""What every format says of a gate, in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ghostdeploy.decision.budgets import combine_verdicts
from ghostdeploy.decision.outcome import GateModel, GateRun, OpDifference
from ghostdeploy.decision.verdict import Verdict
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.numbers import format_interval, format_number, format_ratio
from ghostdeploy.report.parts.reasons import merge_reasons
from ghostdeploy.schema import Interval

MOST_DISCARDS = 12
MOST_LINES = 200  # of the graphs' difference


def combine_runs(runs: Sequence[GateRun]) -> Verdict:
    """Return the one verdict of all ``runs``."""
    return combine_verdicts(run.said for run in runs)


def headline(run: GateRun) -> str:
    """Return verdict and reason: ``regressed: at least 3.2% slower``."""
    return f"{run.verdict}: {run.why}" if run.why else run.verdict


def list_facts(run: GateRun) -> Iterator[tuple[str, str]]:
    """Yield (label, text) in the order to show them; empty ones are left out."""
    yield "device", _device(run)
    for label, model in (("baseline", run.baseline), ("candidate", run.candidate)):
        if model:
            yield label, _model(model)
    if run.ratio and _has_instructions(run):
        yield "ratio", f"{run.ratio.value:.4f}, exactly"
    elif run.ratio:
        yield "ratio", f"{format_ratio(run.ratio)} at {_percent(run.policy.confidence)} confidence"
    if run.attempted:
        yield (
            "pairs",
            f"{run.valid_pairs} valid of {run.attempted} (at most {run.policy.max_pairs})",
        )
    if run.noise is not None:
        yield "noise floor", _noise_floor(run.noise, run.resolution)
    yield "policy", describe_policy(run)
    yield "time", f"{run.duration_s:.0f} s"


def _noise_floor(noise: float, resolution: float | None) -> str:
    if resolution is None:
        return f"launches vary by {_percent(noise)}; too few pairs to tell what it resolves"
    resolves = f"it resolves ≥ {_percent(resolution)} beyond the tolerance"
    return f"launches vary by {_percent(noise)}; {resolves}"


def _has_instructions(run: GateRun) -> bool:
    return run.candidate.instructions is not None


def describe_policy(run: GateRun) -> str:
    """Return by what the gate decided; of instructions only the tolerance counts."""
    if _has_instructions(run):
        return f"tolerance {_percent(run.policy.tolerance)} of the instructions"
    looks = ", ".join(map(str, run.policy.looks))
    return (
        f"tolerance {_percent(run.policy.tolerance)}, delta {_percent(run.policy.delta)},"
        f" alpha {_percent(run.policy.alpha)} in looks at {looks} pairs"
    )


def discard_lines(run: GateRun) -> list[str]:
    """Return why pairs do not count, a line a reason, and how many more reasons there are."""
    merged = merge_reasons(discard.why for discard in run.discards)
    lines = [
        f"pair{'s' if len(places) > 1 else ''}"
        f" {', '.join(str(run.discards[place].pair + 1) for place in places)}: {why}"
        for why, places in merged.items()
    ]
    rest = len(lines) - MOST_DISCARDS
    return [*lines[:MOST_DISCARDS], f"and {rest} more"] if rest > 0 else lines


def budget_rows(run: GateRun) -> list[tuple[str, str, str]]:
    """Return (budget, verdict, what was measured) of each budget."""
    return [(r.budget.shown, r.verdict, r.why) for r in run.budgets]


def operator_rows(run: GateRun) -> list[tuple[str, str, str, str]]:
    """Return (operator, ms before, ms after, change), the largest change first."""
    return [_operator(d) for d in run.where.ops] if run.where else []


def graph_lines(run: GateRun) -> list[str]:
    """Return the lines of what changed in the graph, their columns kept."""
    lines = run.where.graphs.splitlines() if run.where else []
    return [" ".join(clean(word) for word in line.split(" ")) for line in lines[:MOST_LINES]]


def record_paths(run: GateRun) -> list[str]:
    """Return the files of both arms' records, those that are kept."""
    return [m.record for m in (run.baseline, run.candidate) if m and m.record]


def count_verdicts(runs: Sequence[GateRun]) -> str:
    """Return how many gates said what: ``3 pass, 1 regressed``."""
    found = Counter(run.verdict for run in runs)
    return ", ".join(f"{found[v.value]} {v}" for v in Verdict if found[v.value])


def _operator(d: OpDifference) -> tuple[str, str, str, str]:
    change = f"{d.change_ms:+.3f}".replace("-", "−")
    return d.op, format_number(d.baseline_ms, 3), format_number(d.candidate_ms, 3), change


def _device(run: GateRun) -> str:
    if run.identity is None:
        return run.device
    known = (run.identity.model, run.identity.soc, run.identity.os)
    return f"{run.device} ({', '.join(dict.fromkeys(filter(None, known)))})"


def _model(model: GateModel) -> str:
    seen = _latency(model.latency_ms)
    if model.instructions is not None:
        seen = f"{model.instructions / 1e6:.3f} M instructions"
    return f"{model.path}  {seen}  sha256 {model.sha256[:12]}…"


def _latency(latency: Interval | None) -> str:
    return f"{format_interval(latency)} ms" if latency else "not measured"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
