"""What was unstable in a measurement, and the option that helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.commands.bench.comparison import compare_records
from ghostdeploy.schema import BenchParams
from tests.commands.bench.hand_made import DEVICE, record_of, steady

DRIFTING = [30 * (1 + 0.01 * n) for n in range(10)]


@pytest.mark.parametrize(
    ("record", "says", "helps"),
    [
        (record_of(steady(sd=0.12)), "launches differ by", "--cpus"),
        (record_of([*steady(8), 39.0, 40.0]), "2 of 10 launches are over 10% slower", "--cpus"),
        (record_of(DRIFTING), "latency drifted by +9% over the session", "let it cool"),
        (record_of(DRIFTING[::-1]), "latency drifted by -9%", "still starting up"),
        (record_of(steady(4)), "4 launches are too few for a 95 % interval", "--launches 16"),
        (record_of(steady(12), invalid=(2,)), "1 of 12 launches were invalid (too hot)", "raise"),
        (
            record_of(steady(), others=[0.34] * 10),
            "other programs used 34 % of the processor",
            "stop them",
        ),
        (record_of(steady(), params=BenchParams(threads=4)), "4 threads share 1 core", "--threads"),
        (
            record_of(steady(), device=replace(DEVICE, scheme="local"), governor="powersave"),
            "the cores save power",
            "cpupower frequency-set -g performance",
        ),
    ],
)
def test_advice_names_what_is_unstable_and_what_helps(record, says, helps):
    (row,) = compare_records([record], ["a"])
    assert says in row.advice
    assert helps in row.advice
    assert "\n" not in row.advice


def test_a_quiet_measurement_needs_no_advice():
    quiet = record_of(steady(), others=[0.03] * 10, load_1min=9.9, governor="performance")
    assert compare_records([quiet], ["a"])[0].advice == ""  # what load there was came before
    once = record_of(steady(), others=[0.9, 0.9, *[0.05] * 8])
    assert compare_records([once], ["a"])[0].advice == ""
    spoilt = record_of(steady(12), others=[0.9] * 3 + [0.02] * 9, invalid=(0, 1, 2))
    assert "other programs" not in compare_records([spoilt], ["a"])[0].advice
    one_slow = record_of([*steady(11), 40.0])  # one launch of twelve is no pattern
    assert compare_records([one_slow], ["a"])[0].advice == ""
