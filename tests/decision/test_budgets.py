"""Absolute limits, and one verdict for many."""

from __future__ import annotations

import math

import pytest

from ghostdeploy.decision import GatePolicy, Verdict
from ghostdeploy.decision.budgets import KINDS, Budget, combine_verdicts, judge_budget
from ghostdeploy.errors import UsageError


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


@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(UsageError, match="must be above 0, not latency_ms"):
        Budget("latency_ms", limit)
    with pytest.raises(UsageError, match="a budget is of"):
        Budget("watts", 1.0)


def test_a_budget_may_be_a_fraction_of_a_unit():
    found = judge_budget(Budget("latency_ms", 0.5), [0.4] * 10, GatePolicy())
    assert (found.verdict, found.why) == ("pass", "0.4 ms, of at most 0.5")


def test_a_budget_names_its_unit():
    assert [Budget(kind, 40).shown for kind in KINDS] == [
        "latency_ms ≤ 40 ms",
        "size_mb ≤ 40 MB",
        "peak_mem_mb ≤ 40 MB",
        "ratio ≤ 40 ×",
    ]
    assert Budget("ratio", 1.25, "GhostNet").shown == "ratio to GhostNet ≤ 1.25 ×"


@pytest.mark.parametrize(("limit", "verdict"), [(2.0, "pass"), (1.99, "regressed")])
def test_a_files_size_is_exact_and_may_be_the_limit(limit, verdict):
    found = judge_budget(Budget("size_mb", limit), [2.0], GatePolicy())
    assert found.verdict == verdict
    assert (found.value.value, found.value.lower, found.value.upper) == (2.0, 2.0, 2.0)
    assert found.why == f"2 MB, of at most {limit:g}"
    none = judge_budget(Budget("size_mb", limit), [], GatePolicy())
    assert (none.verdict, none.value) == ("invalid", None)


def test_a_ratios_values_are_logarithms():
    logs = [math.log(1.2 + n / 1000) for n in range(10)]
    found = judge_budget(Budget("ratio", 1.25, "GhostNet"), logs, GatePolicy())
    assert found.verdict == "pass"
    assert found.value.value == pytest.approx(1.2045, abs=1e-4)
    assert 1.2 <= found.value.lower < 1.2045 < found.value.upper <= 1.209
    assert found.why == (
        f"{found.value.value:.4g} × [{found.value.lower:.4g}, {found.value.upper:.4g}],"
        " of at most 1.25"
    )


def test_the_fewest_launches_that_can_be_judged():
    """Nine values on one side have P = 2^-9, below a third of 1 %."""
    policy = GatePolicy()
    nine = judge_budget(Budget("peak_mem_mb", 99), [30.0] * 9, policy)
    assert (policy.fewest_pairs, nine.verdict) == (9, "pass")
    assert nine.why == "30 MB, of at most 99"
