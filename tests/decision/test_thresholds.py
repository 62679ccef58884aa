"""Limits for CI: each is kept or broken, and what was not measured keeps none."""

from __future__ import annotations

import pytest

from ghostdeploy.decision.thresholds import Losses, Thresholds, judge_losses
from ghostdeploy.errors import UsageError

GOOD = Losses(snr_db=30.0, agreement=0.98, drop=0.4)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Thresholds(), ()),
        (Thresholds(30.0, 0.98, 0.4), ()),  # the limits themselves are within
        (Thresholds(30.1), ("SNR 30.0 dB is below 30.1 dB",)),
        (Thresholds(min_agreement=0.99), ("98.00% of the answers agree, fewer than 99.00%",)),
        (Thresholds(max_drop=0.3), ("top-1 drops by 0.40 points, more than 0.3",)),
        (Thresholds(40, 1, 0), 3),
    ],
)
def test_each_limit_is_held_against_what_was_measured(limits, said):
    verdict = judge_losses(limits, GOOD)
    assert verdict.passed == (not said)
    if isinstance(said, int):
        assert len(verdict.failures) == said
    else:
        assert verdict.failures == said


def test_a_gain_is_no_drop():
    assert judge_losses(Thresholds(max_drop=0), Losses(drop=-2.0)).passed


@pytest.mark.parametrize("limits", [Thresholds(0), Thresholds(None, 0), Thresholds(None, None, 9)])
def test_what_was_not_measured_keeps_no_limit(limits):
    (failure,) = judge_losses(limits, Losses()).failures
    assert failure.endswith("was not measured")


def test_a_constant_output_keeps_neither_snr_nor_agreement():
    constant = Losses(99.0, 1.0, 0.0, proves_nothing="the output is the same for all images")
    assert not judge_losses(Thresholds(min_agreement=0.5), constant).passed
    assert not judge_losses(Thresholds(min_snr=0.5), constant).passed
    assert judge_losses(Thresholds(max_drop=1), constant).passed  # labels do tell
    assert judge_losses(Thresholds(), constant).passed


def test_a_number_that_is_none_keeps_no_limit():
    assert not judge_losses(Thresholds(min_snr=1), Losses(snr_db=float("nan"))).passed


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((float("nan"), None, None), "min-snr must be"),
        ((None, 1.5, None), "min-agreement must be 0 to 1"),
        ((None, -0.1, None), "min-agreement must be 0 to 1"),
        ((None, None, -1), "max-drop must be 0 to 100"),
    ],
)
def test_limits_that_cannot_be(values, said):
    with pytest.raises(UsageError, match=said):
        Thresholds(*values)
