"""Absolute limits on a candidate, judged with the interval of what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ghostdeploy.errors import UsageError
from ghostdeploy.gate.policy import GatePolicy
from ghostdeploy.gate.verdict import Verdict
from ghostdeploy.schema import Interval
from ghostdeploy.stats import launches as stats

# kind -> its unit
KINDS = {"latency_ms": "ms", "size_mb": "MB", "peak_mem_mb": "MB", "ratio": "×"}


@dataclass(frozen=True)
class Budget:
    """A limit: at most ``limit`` of a kind of KINDS; a ratio is to the model called ``against``.

    Raises UsageError for a limit that is none.
    """

    kind: str
    limit: float
    against: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"a budget is of {', '.join(KINDS)}, not {self.kind!r}")
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise UsageError(f"a budget must be above 0, not {self.kind} {self.limit:g}")

    @property
    def title(self) -> str:
        """The budget's kind, or the model that its ratio is to."""
        return f"ratio to {self.against}" if self.against else self.kind

    @property
    def shown(self) -> str:
        """The budget as text: ``latency_ms ≤ 40 ms``."""
        return f"{self.title} ≤ {self.limit:g} {KINDS[self.kind]}"


@dataclass(frozen=True)
class BudgetResult:
    """A budget's verdict, a Verdict's word: pass, regressed (over it), inconclusive, invalid."""

    budget: Budget
    value: Interval | None
    verdict: str
    why: str


def judge_budget(budget: Budget, values: Sequence[float], policy: GatePolicy) -> BudgetResult:
    """Judge ``values``: of launches in the budget's unit, or logarithms of paired ratios.

    The interval is the median's or, for ratios, the signed-rank test's, at ``policy.confidence``.
    The size of a file is one exact value.
    """
    if not values or (budget.kind != "size_mb" and len(values) < policy.fewest_pairs):
        why = f"only {len(values)} values, of {policy.fewest_pairs} needed"
        return BudgetResult(budget, None, Verdict.INVALID.value, why)
    interval = _interval(budget, values, policy)
    verdict = _verdict(interval, budget.limit)
    unit = KINDS[budget.kind]
    said = f"{interval.value:.4g} {unit}"
    if interval.lower < interval.upper:
        said += f" [{interval.lower:.4g}, {interval.upper:.4g}]"
    return BudgetResult(budget, interval, verdict.value, f"{said}, of at most {budget.limit:g}")


def _interval(budget: Budget, values: Sequence[float], policy: GatePolicy) -> Interval:
    if budget.kind == "size_mb":
        return Interval(values[0], values[0], values[0])
    if budget.kind == "ratio":
        logs = stats.signed_rank_interval(values, policy.confidence)
        return Interval(math.exp(logs.value), math.exp(logs.lower), math.exp(logs.upper))
    return stats.median_interval(values, policy.confidence)


def _verdict(interval: Interval, limit: float) -> Verdict:
    if interval.lower > limit:
        return Verdict.REGRESSED
    return Verdict.PASS if interval.upper <= limit else Verdict.INCONCLUSIVE


def combine_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict for many: what is bad for certain first, then what could not be known.

    Raises ValueError for none.
    """
    found = set(verdicts)
    for verdict in (Verdict.REGRESSED, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in found:
            return verdict
    if not found:
        raise ValueError("no verdicts")
    return Verdict.IMPROVED
