"""One reason is told once, with the range of what was measured; other numbers are another one."""

from __future__ import annotations

import pytest

from ghostdeploy.report.parts.reasons import describe_reasons, merge_reasons


@pytest.mark.parametrize(
    ("reasons", "merged"),
    [
        (["took 31% of it", "took 9% of it", "took 44% of it"], {"took 9…44% of it": [0, 1, 2]}),
        (["at 41.5 °C", "at 40.0 °C"], {"at 40.0…41.5 °C": [0, 1]}),
        (["exit code 1", "exit code 139"], {"exit code 1": [0], "exit code 139": [1]}),
        (["a 3 s b 4%", "x", "a 5 s b 4%"], {"a 3…5 s b 4%": [0, 2], "x": [1]}),
        (["no end in 300 s"] * 2, {"no end in 300 s": [0, 1]}),
        ([], {}),
    ],
)
def test_merged(reasons, merged):
    assert merge_reasons(reasons) == merged


def test_described_with_the_commonest_first():
    counts = {"took 31% of it": 1, "killed by SIGKILL": 3, "took 32% of it": 1}
    assert describe_reasons(counts) == "3× killed by SIGKILL; 2× took 31…32% of it"
    assert describe_reasons({"killed": 7}) == "7× killed"
    assert describe_reasons({}) == ""
