"""A policy refuses what makes no sense, and knows what a device can resolve."""

from __future__ import annotations

import math
import random

import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ghostdeploy.decision import GatePolicy, PairedGate, Verdict
from ghostdeploy.decision.policy import SIGNED_RANK_EFFICIENCY
from ghostdeploy.errors import UsageError


def test_the_defaults():
    policy = GatePolicy()
    assert (policy.tolerance, policy.delta, policy.alpha) == (0.02, 0.05, 0.01)
    assert (policy.looks, policy.max_pairs, policy.screen) == ((10, 16, 24), 36, 0.10)
    assert (policy.max_noise, policy.slow_excess, policy.arm_excess) == (0.05, 3, 4)


def test_what_lies_just_within_the_limits_is_allowed():
    policy = GatePolicy(
        tolerance=0.0,
        delta=0.99,
        alpha=0.49,
        looks=(3, 4),
        max_pairs=1000,
        screen=0.99,
        max_noise=0.99,
        slow_excess=1,
        arm_excess=1,
    )
    assert policy.fewest_pairs == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tolerance": -0.01}, "0 <= tolerance < delta < 1"),
        ({"tolerance": 0.05}, "tolerance 0.05 and delta 0.05"),
        ({"delta": 1.5}, "delta < 1"),
        ({"delta": math.nan}, "delta must be a number, not nan"),
        ({"tolerance": math.inf}, "tolerance must be a number, not inf"),
        ({"tolerance": "2%"}, "tolerance must be a number, not '2%'"),
        ({"delta": None}, "delta must be a number, not None"),
        ({"max_pairs": 36.5}, "max_pairs must be a whole number"),
        ({"slow_excess": True}, "slow_excess must be a whole number"),
        ({"looks": 10}, "looks must be numbers of pairs"),
        ({"looks": "10"}, "looks must be numbers of pairs"),
        ({"alpha": 0}, "alpha must be above 0"),
        ({"alpha": 0.5}, "below 0.5"),
        ({"looks": ()}, "looks must be numbers of pairs"),
        ({"looks": (10, 10)}, "looks must increase, not 10,10"),
        ({"looks": (10, 9.5)}, "looks must be numbers of pairs"),
        ({"looks": (0, 10)}, "looks must be numbers of pairs"),
        ({"looks": (1, 10)}, "1 pairs can never decide"),
        ({"looks": (5, 16, 24)}, "5 pairs can never decide at alpha 0.01 in 3 looks"),
        ({"looks": (8, 16, 24)}, "the first look needs 9"),
        ({"max_pairs": 23}, "max_pairs must be 24"),
        ({"max_pairs": 10**9}, "to 1000"),
        ({"screen": 0}, "screen must be above 0"),
        ({"max_noise": 1}, "max_noise must be above 0 and below 1"),
        ({"slow_excess": 0}, "slow_excess must be at least 1"),
        ({"arm_excess": 0}, "arm_excess must be at least 1"),
        ({"max_pairs": 1001}, "max_pairs must be 24 .* to 1000, not 1001"),
    ],
)
def test_nonsense_is_refused_in_one_line(changes, says):
    with pytest.raises(UsageError, match=says.replace("(", r"\(")) as refused:
        GatePolicy(**changes)
    assert "\n" not in str(refused.value)


def test_the_fewest_pairs_are_those_whose_agreement_is_evidence():
    # all of n differences have one sign by chance in 2⁻ⁿ of the cases
    assert GatePolicy(alpha=2**-7, looks=(7,)).fewest_pairs == 7
    with pytest.raises(UsageError, match="needs 8"):
        GatePolicy(alpha=2**-7 - 1e-6, looks=(7,))


def test_the_signed_ranks_efficiency_on_normal_values():
    """Pitman's: 12·σ²·(∫f²)², of a normal density 3/π."""
    square, _ = quad(lambda x: norm.pdf(x) ** 2, -20, 20)
    assert pytest.approx(12 * square**2) == SIGNED_RANK_EFFICIENCY


def test_the_resolution_is_what_is_caught_nine_times_in_ten():
    """Drawn: normal launches, one look, a true change of just tolerance + resolution."""
    policy = GatePolicy(looks=(24,), max_pairs=24, screen=0.5)
    change = math.log(1 + policy.tolerance) + policy.resolution(0.015)
    generator = random.Random(4)
    caught = 0
    for _ in range(600):
        gate = PairedGate(policy)
        verdict = None
        while verdict is None:
            noise = [generator.gauss(0, 0.015) for _ in range(2)]
            verdict = gate.add(30 * math.exp(noise[0]), 30 * math.exp(change + noise[1]))
        caught += verdict == Verdict.REGRESSED
    assert 0.85 < caught / 600 < 0.95  # ± 4 standard errors


def test_what_a_noisy_device_cannot_decide():
    assert GatePolicy().can_decide(0.015)
    assert not GatePolicy().can_decide(0.03)
    assert GatePolicy(delta=0.08).can_decide(0.03)
    assert not GatePolicy(delta=0.5).can_decide(0.06)  # such launches are never judged


def test_the_confidence_of_a_look_is_bonferronis():
    assert GatePolicy().look_alpha == pytest.approx(0.01 / 3)
    assert GatePolicy().confidence == pytest.approx(1 - 2 * 0.01 / 3)
    assert GatePolicy(alpha=0.02, looks=(10,)).confidence_at(0) == pytest.approx(0.96)


def test_the_largest_noise_itself_may_decide():
    assert GatePolicy(delta=0.5).can_decide(0.05)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("pass", 0), ("improved", 0), ("regressed", 1), ("inconclusive", 3), ("invalid", 3)],
)
def test_only_a_regression_is_exit_code_1(verdict, code):
    assert Verdict(verdict).exit_code == code
