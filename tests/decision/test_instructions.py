"""Judging exact counts: only the tolerance decides."""

from __future__ import annotations

import pytest

from ghostdeploy.decision.instructions import DEFAULT_TOLERANCE, judge_instructions
from ghostdeploy.errors import UsageError


@pytest.mark.parametrize(
    ("baseline", "candidate", "tolerance", "verdict"),
    [
        (100_000, 100_500, 0.005, "pass"),
        (100_000, 100_501, 0.005, "regressed"),
        (100_000, 99_500, 0.005, "pass"),
        (100_000, 99_499, 0.005, "improved"),
        (7, 8, 0.0, "regressed"),
        (8, 7, 0.0, "improved"),
        (7, 7, 0.0, "pass"),
        (1, 1, 0.0, "pass"),
    ],
)
def test_the_limit_itself_still_passes(baseline, candidate, tolerance, verdict):
    found = judge_instructions(baseline, candidate, tolerance)
    assert found.verdict == verdict
    assert found.change == pytest.approx((candidate - baseline) / baseline)


@pytest.mark.parametrize(
    "arguments", [(0, 1, 0.1), (1, 0, 0.1), (1, -1, 0.1), (1, 1, -0.1), (1, 1, 1.0)]
)
def test_what_cannot_be_judged(arguments):
    with pytest.raises(UsageError, match=r"^[^\n]+$"):
        judge_instructions(*arguments)


def test_the_default_is_the_half_percent_that_the_help_tells():
    assert DEFAULT_TOLERANCE == 0.005
