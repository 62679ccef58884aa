"""The terminal's table: aligned, as wide as there is room, complete; plain without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ghostdeploy.report.latency.formats import text as text_format
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.parts.clean_text import display_width
from ghostdeploy.report.parts.layout import UNWRAPPED, render


def render_text(report: Report, width: int = UNWRAPPED, *, color: bool = False) -> str:
    """What a terminal of ``width`` columns shows."""
    return render(text_format.compose(report), width, color=color)


def words_of(text: str) -> list[str]:
    return text.replace("─", " ").split()


def test_measured_and_the_papers_numbers(table_1: Report) -> None:
    text = render_text(table_1)
    for comparison in table_1.comparisons:
        assert f"{comparison.latency_ms.value:.4g}" in text
    row = next(line for line in text.splitlines() if line.startswith("GhostNet   "))
    assert "1 (base)" in row
    assert row.split()[-2:] == ["31.1", "1.00"]
    assert "nothing in them was measured" in text
    assert "thermal status 2" in text
    assert "--launches 20" in text


def test_without_the_papers_numbers_their_columns_are_not_there(
    make: Callable[..., Report],
) -> None:
    report = make(title="Mine")
    rows = [replace(c, paper_latency_ms=None, paper_ratio=None) for c in report.comparisons]
    text = render_text(replace(report, comparisons=tuple(rows)))
    assert "aper" not in text


def test_an_unmeasured_model_says_why(crashed: Report) -> None:
    text = render_text(crashed)
    assert "not measured" in text
    assert "exit code 139" in text
    assert "nan" not in text


def test_a_reason_is_told_once_and_whole(table_1: Report) -> None:
    first = table_1.comparisons[0]
    whys = [f"other programs took {30 + n}% of its cores' time" for n in range(9)]
    launches = tuple(
        replace(launch, valid=False, why_not=why)
        for launch, why in zip(first.record.launches, whys, strict=False)
    )
    record = replace(first.record, launches=(*launches, first.record.launches[-1]))
    text = render_text(replace(table_1, comparisons=(replace(first, record=record),)))
    assert text.count("other programs took") == 1
    assert "(9× other programs took 30…38% of its cores' time)" in text


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("name", ["table_1", "crashed", "eight"])
def test_every_line_fits_and_no_word_is_broken(
    name: str, width: int, request: pytest.FixtureRequest
) -> None:
    report = request.getfixturevalue(name)
    whole, shown = render_text(report), render_text(report, width)
    assert max(map(display_width, shown.splitlines())) <= width
    assert set(words_of(shown)) <= {*words_of(whole), *" ".join(text_format.MEASURED).split()} | {
        f"{word}:" for word in words_of(whole)
    }
    if width >= 80:
        assert set(words_of(whole)) <= set(words_of(shown))


def test_a_wide_terminal_is_used(eight: Report) -> None:
    assert len(render_text(eight, 200).splitlines()) < len(render_text(eight, 100).splitlines())
    for comparison in eight.comparisons:  # no name is cut where there is room
        assert comparison.title in render_text(eight, 200)


def test_wide_characters_stay_aligned(table_1: Report) -> None:
    first = replace(table_1.comparisons[0], title="幽灵网络 第一版")
    report = replace(table_1, comparisons=(first, *table_1.comparisons[1:]))
    lines = render_text(report, 120).splitlines()
    table = lines[lines.index(next(x for x in lines if x.startswith("──"))) :][:4]
    assert len(set(map(display_width, table))) == 1


def test_escape_sequences_and_markup_do_not_reach_the_terminal(
    make: Callable[..., Report],
) -> None:
    title = "\x1b[31mred\x1b]0;owned\x07 [bold]x[/bold] :smile:"
    for color in (False, True):
        text = render_text(make(title=title), 120, color=color)
        assert "[bold]x[/bold] :smile:" in text
        assert "\x1b[31m" not in text
        assert "\x1b]" not in text
        assert "\x07" not in text


def test_colour_is_there_only_where_it_is_wanted(crashed: Report) -> None:
    assert "\x1b[" not in render_text(crashed)
    assert "\x1b[31m" in render_text(crashed, 120, color=True)


def test_a_file_has_what_a_pipe_gets(table_1: Report) -> None:
    assert text_format.render(table_1, "r") == {"r.txt": render_text(table_1)}
