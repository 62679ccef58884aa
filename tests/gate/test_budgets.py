"""Absolute limits, and one verdict for many."""

from __future__ import annotations

import pytest

from ghostdeploy.gate import GatePolicy, Verdict
from ghostdeploy.gate.budgets import Budget, combine_verdicts, judge_budget


def test_a_budgets_interval_decides():
    policy, values = GatePolicy(), [30.0 + n / 10 for n in range(10)]
    for limit, verdict in ((31.5, "pass"), (29.5, "regressed"), (30.45, "inconclusive")):
        assert judge_budget(Budget("latency_ms", limit), values, policy).verdict == verdict
    few = judge_budget(Budget("latency_ms", 99), values[:8], policy)
    assert (few.verdict, few.why) == ("invalid", "only 8 values, of 9 needed")


def test_one_verdict_for_many():
    order = [Verdict.REGRESSED, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.PASS]
    for place, verdict in enumerate(order):
        assert combine_verdicts([Verdict.IMPROVED, *reversed(order[place:])]) == verdict
    assert combine_verdicts([Verdict.IMPROVED]) == Verdict.IMPROVED
    with pytest.raises(ValueError, match="no verdicts"):
        combine_verdicts([])
