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


@pytest.mark.parametrize("edge", [1e-9, 1e12])
def test_latencies_may_be_from_a_picosecond_to_30_years(edge):
    gate = PairedGate()
    gate.add(edge, edge)
    beyond = edge / 2 if edge < 1 else edge * 2
    for pair in ((beyond, edge), (edge, beyond)):
        with pytest.raises(ValueError, match="must be finite and above 0"):
            gate.add(*pair)
    assert (gate.attempted, gate.result.ratio) == (1, 1.0)


@pytest.mark.parametrize("pairs", [5, 8, 10, 13])
def test_noise_is_the_normal_deviation_of_a_launch(pairs):
    """A pair's log ratio has √2 of a launch's; scipy's MAD, scaled as for normal values."""
    generator, logs = random.Random(pairs), []
    gate = PairedGate(GatePolicy(looks=(36,), screen=0.99))
    for _ in range(pairs):
        a, b = (30 * math.exp(generator.gauss(0, 0.02)) for _ in range(2))
        gate.add(a, b)
        logs.append(math.log(b / a))
    mad = scipy_stats.median_abs_deviation(logs, scale="normal")
    assert gate.result.noise == pytest.approx(mad / math.sqrt(2), rel=1e-4)


def steady(candidate, pairs=10, baseline=(), policy=None):
    """A gate fed with launches of exactly 30 ms but for those given: factors by pair's number."""
    gate = PairedGate(policy)
    for n in range(pairs):
        factors = (dict(baseline).get(n, 1.0), dict(candidate).get(n, 1.0))
        verdict = gate.add(*(30.0 * factor for factor in factors))
        if verdict:
            break
    return gate


@pytest.mark.parametrize(
    ("factor", "slow", "valid"), [(1.09, 0, 10), (1.11, 1, 9), (0.91, 0, 10), (0.89, 0, 9)]
)
def test_a_launch_is_slow_beyond_the_screen_above_its_own_median(factor, slow, valid):
    result = steady({4: factor}).result
    assert (result.slow_candidate, result.slow_baseline) == (slow, 0)
    assert (result.valid_pairs, result.discarded) == (valid, 10 - valid)
    other = steady({}, baseline={4: factor}).result
    assert (other.slow_candidate, other.slow_baseline) == (0, slow)
    assert other.valid_pairs == valid


def test_a_launch_at_the_screen_itself_still_counts():
    """A quarter is exact in binary."""
    policy = GatePolicy(screen=0.25)
    assert steady({4: 1.25, 6: 0.75}, policy=policy).result.discarded == 0
    assert steady({4: 1.26, 6: 0.74}, policy=policy).result.discarded == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [(1.9, "90.0% slower"), (2.0, "2 times as slow"), (2.5, "2.5 times as slow")],
)
def test_from_twice_the_time_on_it_is_told_as_a_factor(change, said):
    gate = PairedGate()
    while gate.add(32.0, 32.0 * change) is None:
        pass
    assert gate.result.why == f"at least {said}"


def test_a_discarded_launch_is_told_with_its_distance():
    gate = steady({2: 1.25}, baseline={5: 0.7, 2: 1.5})
    assert [(d.pair, d.why) for d in gate.result.discards] == [
        (2, "baseline: 50% slower than its median; candidate: 25% slower than its median"),
        (5, "baseline: 30% faster than its median"),
    ]


def test_a_fast_launch_is_no_slow_one():
    """Only launches above the median speak against the candidate."""
    gate = steady({1: 0.7, 4: 0.7, 7: 0.7}, pairs=36)
    assert (gate.result.verdict, gate.result.slow_candidate) == ("pass", 0)


@pytest.mark.parametrize(
    ("candidate", "baseline", "verdict"),
    [(3, 0, "inconclusive"), (3, 1, "pass"), (4, 1, "inconclusive"), (2, 0, "pass")],
)
def test_the_baselines_own_slow_launches_are_the_devices_doing(candidate, baseline, verdict):
    policy = GatePolicy(looks=(20,), max_pairs=36)
    slow = {2 * n: 1.3 for n in range(candidate)}
    gate = steady(slow, 36, {2 * n + 1: 1.3 for n in range(baseline)}, policy)
    assert gate.result.verdict == verdict
    assert (gate.result.slow_candidate, gate.result.slow_baseline) == (candidate, baseline)


@pytest.mark.parametrize(("outliers", "verdict"), [(7, "inconclusive"), (8, "invalid")])
def test_outliers_are_lopsided_where_a_sign_test_says_so(outliers, verdict):
    """P(8 of 8) is 2^-7, below 1 %; P(7 of 7) is 2^-6, above."""
    assert scipy_stats.binomtest(8, 8).pvalue < 0.01 < scipy_stats.binomtest(7, 7).pvalue
    policy = GatePolicy(looks=(20,), max_pairs=36)
    slow = steady({3 * n: 1.3 for n in range(outliers)}, 36, policy=policy)
    assert slow.result.verdict == verdict
    fast = steady({3 * n: 0.7 for n in range(outliers)}, 36, policy=policy)
    assert fast.result.verdict == ("pass" if verdict == "inconclusive" else verdict)
    both = steady({}, 36, {3 * n: 0.7 for n in range(outliers)}, policy)
    assert (both.result.verdict == "invalid") == (verdict == "invalid")


def test_outliers_as_lopsided_as_alpha_itself_are_chance():
    policy = GatePolicy(looks=(20,), max_pairs=36, alpha=2**-7)
    assert steady({3 * n: 1.3 for n in range(8)}, 36, policy=policy).result.verdict != "invalid"


def test_fewer_lopsided_outliers_than_the_excess_are_chance():
    policy = GatePolicy(looks=(20,), max_pairs=36, alpha=0.2, arm_excess=5, slow_excess=9)
    assert steady({2 * n: 1.3 for n in range(4)}, 36, policy=policy).result.verdict == "pass"
    assert steady({2 * n: 1.3 for n in range(5)}, 36, policy=policy).result.verdict == "invalid"


def test_outliers_of_both_arms_are_compared_not_added():
    """Eight and one: a difference of seven, though P is 0.04."""
    both = {"candidate": {2 * n: 1.3 for n in range(8)}, "baseline": {1: 1.3}}
    for excess, verdict in ((7, "invalid"), (9, "pass")):
        policy = GatePolicy(looks=(20,), max_pairs=36, alpha=0.2, arm_excess=excess, slow_excess=20)
        assert steady(**both, pairs=36, policy=policy).result.verdict == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(0.975, "improved"), (0.985, "pass"), (1.015, "pass"), (1.025, "regressed")],
)
def test_a_steady_change_is_judged_by_the_tolerance(change, verdict):
    gate = PairedGate()
    while gate.add(30.0, 30.0 * change) is None:
        pass
    assert gate.result.verdict == verdict
    told = {"improved": "at least 2.5% faster", "regressed": "at least 2.5% slower"}
    assert gate.result.why == told.get(verdict, "less than 5% slower")


@pytest.mark.parametrize(("change", "attempted"), [(1.044, 24), (1.0, 10)])
def test_a_gate_looks_again_until_it_knows(change, attempted):
    """Between tolerance 4 % and delta 5 % it is open at 10 and 16 pairs, undecided at 24."""
    gate, generator = PairedGate(GatePolicy(tolerance=0.04)), random.Random(3)
    verdict = None
    while verdict is None:
        verdict = gate.add(30.0, 30.0 * change * math.exp(generator.gauss(0, 0.02)))
    assert gate.attempted == attempted
    if attempted == 24:
        assert verdict == "inconclusive"
        low, high = gate.result.lower - 1, gate.result.upper - 1
        assert gate.result.why == f"{low:+.1%} to {high:+.1%} is neither below +5% nor above +4%"


def test_each_look_has_the_confidence_that_its_policy_gives_it():
    class Uneven(GatePolicy):
        def confidence_at(self, look):
            return (0.999, 0.5, 0.5)[look]

    def interval(pairs):
        generator, gate = random.Random(4), PairedGate(Uneven(tolerance=0.04))
        for _ in range(pairs):
            gate.add(30.0, 30.0 * 1.045 * math.exp(generator.gauss(0, 0.03)))
        return gate.result.upper / gate.result.lower - 1

    assert interval(15) > 2 * interval(16)  # the second look is much less sure
    assert interval(9) > 2 * interval(16)


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
