"""The paired gate on hand-made launches, and its interval against scipy's test."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest

from ghostdeploy.decision import GatePolicy, PairedGate, Verdict

scipy_stats = pytest.importorskip("scipy.stats")

WIGGLE = (0.3, -0.7, 1.0, -0.2, 0.6, -1.0, 0.1, -0.4, 0.8, -0.6, 0.4, 0.2)  # in %


def play(change, pairs=36, policy=None, spoil=None, flags=()):
    """A gate fed with steady pairs; ``spoil(pair) -> factors of both`` and flagged pairs' numbers.

    Returns (verdict, gate).
    """
    gate = PairedGate(policy)
    for n in range(pairs):
        a, b = 30 * (1 + WIGGLE[n % 12] / 100), 30 * change * (1 + WIGGLE[(n + 5) % 12] / 100)
        factors = spoil(n) if spoil else (1, 1)
        verdict = gate.add(a * factors[0], b * factors[1], n in flags, False)
        if verdict:
            return verdict, gate
    return None, gate


@pytest.mark.parametrize(
    ("change", "verdict", "code"),
    [
        (1.00, "pass", 0),
        (1.10, "regressed", 1),
        (1.06, "regressed", 1),
        (0.90, "improved", 0),
        (1.035, "inconclusive", 3),
    ],
)
def test_verdicts(change, verdict, code):
    policy = GatePolicy(0.033, 0.037) if verdict == "inconclusive" else None
    got, gate = play(change, policy=policy)
    assert got == verdict == gate.result.verdict
    assert (str(got), f"{got}", got.exit_code) == (verdict, verdict, code)
    assert gate.result.lower <= gate.result.ratio <= gate.result.upper
    assert gate.result.ratio == pytest.approx(change, rel=0.006)
    assert gate.result.why


def test_a_clear_case_ends_at_the_first_look():
    verdict, gate = play(1.0)
    assert (verdict, gate.attempted) == (Verdict.PASS, 10)
    assert (gate.result.valid_pairs, gate.result.discarded) == (10, 0)
    assert play(1.0, pairs=9)[0] is None


def test_an_open_gate_knows_its_estimate_but_no_interval_yet():
    _, gate = play(1.0, pairs=8)
    result = gate.result
    assert result.verdict is None
    assert (result.lower, result.upper) == (0.0, math.inf)
    assert result.ratio == pytest.approx(1.0, abs=0.01)
    assert play(1.0, pairs=9)[1].result.upper < 1.05
    assert math.isnan(PairedGate().result.ratio)


def test_flagged_and_outlying_pairs_are_discarded_whole():
    verdict, gate = play(1.0, spoil=lambda n: (1.3, 1) if n == 2 else (1, 1), flags=(4,))
    assert verdict == "pass"
    assert (gate.attempted, gate.result.valid_pairs, gate.result.discarded) == (12, 10, 2)
    assert [d.pair for d in gate.result.discards] == [2, 4]
    assert gate.result.discards[0].why.startswith("baseline: 3")
    assert gate.result.discards[1].why == "baseline: device evidence against the launch"
    assert (gate.result.slow_baseline, gate.result.slow_candidate) == (1, 0)


def test_a_change_is_never_screened_away():
    """Both arms are steady about their own median, however far apart these are."""
    verdict, gate = play(2.0)
    assert (verdict, gate.result.discarded) == ("regressed", 0)
    assert gate.result.why == f"at least {gate.result.lower - 1:.1%} slower"
    result = play(3.0)[1].result
    assert result.why == f"at least {result.lower:.3g} times as slow"


def test_flagged_launches_do_not_move_their_arms_median():
    verdict, gate = play(1.0, spoil=lambda n: (1.5, 1) if n < 14 else (1, 1), flags=range(14))
    assert (verdict, gate.result.discarded, gate.result.slow_baseline) == ("pass", 14, 0)


def test_too_few_valid_pairs_at_the_cap_are_invalid():
    verdict, gate = play(1.0, flags=range(27))
    assert (verdict, gate.attempted, gate.result.valid_pairs) == ("invalid", 36, 9)
    assert gate.result.why == "only 9 valid pairs, of 10 needed"


def test_between_two_looks_the_cap_decides():
    verdict, gate = play(1.036, policy=GatePolicy(0.034, 0.038), flags=range(16))
    assert (verdict, gate.attempted, gate.result.valid_pairs) == ("inconclusive", 36, 20)


def test_failed_launches_count_as_attempts():
    gate = PairedGate()
    verdicts = [gate.add_failed() for _ in range(36)]
    assert verdicts == [None] * 35 + ["invalid"]
    assert gate.result.discarded == 36
    assert gate.result.discards[0].why == "a launch gave no latency"


def test_launches_that_vary_too_much_are_invalid():
    generator = random.Random(2)
    gate = PairedGate(GatePolicy(screen=0.9))
    verdict = None
    while verdict is None:
        verdict = gate.add(*(30 * math.exp(generator.gauss(0, 0.12)) for _ in range(2)))
    assert verdict == "invalid"
    assert "launches vary by" in gate.result.why


def test_lopsided_outliers_are_invalid():
    """A candidate at +20 % in two of five launches: its median is the baseline's."""
    verdict, gate = play(1.0, spoil=lambda n: (1, 1.2 if n % 5 in (1, 3) else 1))
    assert verdict in ("invalid", "inconclusive")
    policy = GatePolicy(looks=(18,), max_pairs=36)
    verdict, gate = play(1.0, policy=policy, spoil=lambda n: (1, 1.2 if n % 5 in (1, 3) else 1))
    assert verdict == "invalid"
    assert "outliers are lopsided: 0 of the baseline, 1" in gate.result.why


def test_a_candidate_with_three_more_slow_launches_does_not_pass():
    verdict, gate = play(1.0, spoil=lambda n: (1, 1.3 if n in (1, 4, 7) else 1))
    assert verdict == "inconclusive"
    assert "the candidate had 3 slow launches, the baseline 0" in gate.result.why
    two, _ = play(1.0, spoil=lambda n: (1, 1.3 if n in (1, 4) else 1))
    assert two == "pass"
    both, _ = play(1.0, spoil=lambda n: (1.3, 1.3) if n in (1, 4, 7) else (1, 1))
    assert both == "pass"  # the device's doing, not the candidate's


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0, -1.0, 1e300])
def test_impossible_latencies_are_refused_and_change_nothing(bad):
    gate = PairedGate()
    with pytest.raises(ValueError, match=r"baseline_ms must be finite and above 0, not"):
        gate.add(bad, 30.0)
    with pytest.raises(ValueError, match=r"candidate_ms must be finite and above 0, not"):
        gate.add(30.0, bad, True, True)
    assert gate.attempted == 0


def test_a_decided_gate_takes_no_more():
    _, gate = play(1.0)
    with pytest.raises(ValueError, match="decided already: pass"):
        gate.add(30, 30)
    with pytest.raises(ValueError, match="decided already"):
        gate.add_failed()
    assert gate.attempted == 10


def test_extreme_latencies_give_no_overflow():
    for a, b in ((1e-9, 1e12), (1e12, 1e-9)):
        gate = PairedGate()
        verdicts = [gate.add(a, b) for _ in range(10)]
        assert verdicts[-1] in ("regressed", "improved")


def test_the_interval_is_where_scipys_exact_test_turns_on_200_data_sets():
    generator = random.Random(6)
    for number in range(200):
        pairs = generator.choice((10, 13, 16, 20, 24))
        shift, spread = generator.uniform(-0.1, 0.1), generator.uniform(0.001, 0.02)
        gate = PairedGate(GatePolicy(looks=(36,), max_pairs=36, screen=0.99))
        logs = []
        for _ in range(pairs):
            a, d = generator.uniform(29, 31), generator.gauss(shift, spread)
            gate.add(a, a * math.exp(d))
            logs.append(math.log(a * math.exp(d) / a))
        result, alpha = gate.result, gate.policy.alpha

        def p(ratio, side, logs=logs):
            moved = [d - math.log(ratio) for d in logs]
            return scipy_stats.wilcoxon(moved, alternative=side, method="exact").pvalue

        nudge = 1e-9
        assert p(result.lower * (1 - nudge), "greater") <= alpha + 1e-12, number
        assert p(result.lower * (1 + nudge), "greater") > alpha, number
        assert p(result.upper * (1 + nudge), "less") <= alpha + 1e-12, number
        assert p(result.upper * (1 - nudge), "less") > alpha, number


def test_the_core_needs_the_standard_library_only():
    code = "import sys, ghostdeploy.decision; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    foreign = set(done.stdout.split()) - sys.stdlib_module_names - {"__main__", "ghostdeploy"}
    assert (done.returncode, foreign) == (0, set())
