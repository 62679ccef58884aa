"""The terminal's table: aligned, narrow enough, complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ghostdeploy.report.latency.formats.text import WIDTH, render_text
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.parts.clean_text import display_width


def test_measured_and_the_papers_numbers(table_1: Report) -> None:
    text = render_text(table_1)
    header, _, _, base = text.splitlines()[8:12]
    assert "Measured here" in text
    assert "Paper's P30" in text
    for comparison in table_1.comparisons:
        assert f"{comparison.latency_ms.value:.4g}" in text
    row = next(line for line in text.splitlines() if line.startswith("GhostNet   "))
    ours, papers = row.split("|")
    assert "1 (base)" in ours
    assert papers.split() == ["31.1", "1.00"]
    assert "nothing in them was measured" in text
    assert "thermal status 2" in text
    assert "--launches 20" in text
    assert header
    assert base


def test_an_unmeasured_model_says_why(crashed: Report) -> None:
    text = render_text(crashed)
    assert "not measured" in text
    assert "exit code 139" in text
    assert "nan" not in text


@pytest.mark.parametrize("name", ["table_1", "crashed", "eight"])
def test_every_line_fits(name: str, request: pytest.FixtureRequest) -> None:
    lines = render_text(request.getfixturevalue(name)).splitlines()
    assert max(map(display_width, lines)) <= WIDTH


def test_wide_characters_stay_aligned(table_1: Report) -> None:
    first = replace(table_1.comparisons[0], title="幽灵网络 第一版")
    lines = render_text(replace(table_1, comparisons=(first, *table_1.comparisons[1:])))
    bars = {display_width(line.split("|")[0]) for line in lines.splitlines() if "|" in line}
    assert len(bars) == 1


def test_escape_sequences_do_not_reach_the_terminal(make: Callable[..., Report]) -> None:
    report = make(title="\x1b[31mred\x1b]0;owned\x07")
    assert "\x1b" not in render_text(report)
