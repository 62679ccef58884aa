"""Markdown: the numbers in the cells, and text that stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from ghostdeploy.report.latency.formats.markdown import render
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.parts.markup import escape

HOSTILE = "a|b `c` <img src=x onerror=alert(1)> [l](http://e) @octocat\n# h"


def table_rows(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_comparison_table(table_1: Report) -> None:
    header, _, base, attention, dfc = table_rows(render(table_1, "r")["r.md"])[:5]
    assert [name for name in header if "Paper" in name] == header[-3:]
    assert base[1:4] == ["5.183", "141.2", "20.79"]
    assert base[5] == "1 (base)"
    assert base[-3:] == ["*31.1*", "*1.00*", "*73.9*"]
    assert attention[5].startswith("1.60 [1.58, 1.62]")
    assert dfc[-3:] == ["*37.5*", "*1.21*", "*75.3*"]
    for cells, comparison in zip((base, attention, dfc), table_1.comparisons, strict=True):
        value, lower, upper = map(float, re.findall(r"[\d.]+", cells[4]))
        assert value == pytest.approx(comparison.latency_ms.value, rel=1e-3)
        assert lower == pytest.approx(comparison.latency_ms.lower, rel=1e-3)
        assert upper == pytest.approx(comparison.latency_ms.upper, rel=1e-3)


def test_what_stands_behind_the_numbers(table_1: Report) -> None:
    text = render(table_1, "r")["r.md"]
    for comparison in table_1.comparisons:
        assert comparison.record.artifact.sha256 in text
    for expected in ("ab" * 32, "20240517T0930", "A → B → B → A", "1.7e-06", "2-3", "CONV\\_2D 95"):
        assert expected in text
    assert "'model file.tflite'" in text
    assert "2\u00d7 thermal status 2" in text


def test_what_other_programs_used_stands_beside_the_load(table_1: Report) -> None:
    rows = table_rows(render(table_1, "r")["r.md"])
    at = next(n for n, row in enumerate(rows) if "Load (1 min)" in row)
    by_name = dict(zip(rows[at], rows[at + 2], strict=True))
    assert by_name["Load (1 min)"].startswith("before 0.")
    assert by_name["Other programs, all cores"] == "3 %"
    assert by_name["Other programs, its cores"] == "2 %"


def test_every_table_is_rectangular(crashed: Report) -> None:
    text = render(crashed, "r")["r.md"]
    for block in text.split("\n\n"):
        assert len({len(row) for row in table_rows(block)}) <= 1


def test_hostile_text_is_inert(make: Callable[..., Report]) -> None:
    report = make(title=HOSTILE)
    first = report.comparisons[0]
    record = replace(first.record, device=replace(first.record.device, model=HOSTILE))
    report = replace(report, comparisons=(replace(first, title=HOSTILE, record=record),))
    text = render(report, "r")["r.md"]
    assert "<img" not in text
    assert not re.search(r"(?<!\\)\]\(http", text)
    assert "@octocat" not in text
    assert "\n# h" not in text
    assert table_rows(text)[2][0] == escape(HOSTILE)


def test_figures_are_linked_by_quoted_names(table_1: Report) -> None:
    assert "](my%20report.latency.png)" in render(table_1, "my report")["my report.md"]


def test_the_paper_is_left_out_where_it_measured_nothing(crowded: Report) -> None:
    markdown = render(crowded, "r")["r.md"]
    assert {len(cells) for cells in table_rows(markdown)[:3]} == {6}
    assert "paper" not in markdown.lower()
