"""The gate on simulated phones: the benchmark's table with fewer sessions and a fixed seed."""

from __future__ import annotations

import math

import pytest

from benchmarks.gate_simulation import Noise, simulate
from ghostdeploy.decision import GatePolicy, Verdict

COUNT = 300
NOISY = Noise(launch_sd=0.03)

# change, noise, and pass / regressed / inconclusive %, valid pairs, of 2000 sessions of the
# simulation that the algorithm was chosen by
TABLE = [
    (0.00, Noise(), (100, 0, 0), 10.1),
    (0.02, Noise(), (99.5, 0.5, 0), 12.1),
    (0.03, Noise(), (77, 21, 2), 15.8),
    (0.05, Noise(), (0.2, 99.8, 0), 12.1),
    (0.10, Noise(), (0, 100, 0), 10.0),
    (0.00, NOISY, (96.6, 0, 0.7), 13.6),
    (0.02, NOISY, (64, 0.6, 33), 20.1),
    (0.05, NOISY, (0.8, 64, 33), 19.9),
    (0.10, NOISY, (0, 97.9, 0), 10.6),
]


@pytest.mark.parametrize(("change", "noise", "shares", "pairs"), TABLE)
def test_the_table_within_sampling_error(change, noise, shares, pairs):
    outcome = simulate(GatePolicy(), change, noise, COUNT, seed=11)
    for verdict, share in zip(
        (Verdict.PASS, Verdict.REGRESSED, Verdict.INCONCLUSIVE), shares, strict=True
    ):
        error = 100 * math.sqrt(max(share, 0.5) / 100 * (1 - min(share, 99.5) / 100) / COUNT)
        assert outcome.verdicts[verdict] == pytest.approx(share, abs=4 * error), verdict
    assert outcome.valid_pairs == pytest.approx(pairs, abs=1.0)


def test_no_false_alarm_even_where_the_phone_is_silent_about_throttling():
    outcome = simulate(GatePolicy(), 0.0, Noise(evidence=0.0), COUNT, seed=12)
    assert outcome.verdicts[Verdict.REGRESSED] == 0
    assert outcome.verdicts[Verdict.PASS] > 96
