"""Untrusted text, and numbers as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostdeploy.report.parts.clean_text import clean, display_width, pad, shorten, wrap
from ghostdeploy.report.parts.numbers import (
    ABSENT,
    interval,
    millions,
    percent,
    printed,
    significant,
    spread,
)
from ghostdeploy.schema import Interval

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)  # lone surrogates included


@given(ANY_TEXT)
def test_clean_text_is_one_bounded_printable_line(text: str) -> None:
    cleaned = clean(text, 60)
    assert len(cleaned) <= 60
    cleaned.encode("utf-8")
    assert not any(ord(char) < 32 or char in "\u202e\u2066\u2028\x7f" for char in cleaned)


@given(ANY_TEXT, st.integers(2, 40))
def test_wrapped_lines_fit_and_keep_every_character(text: str, width: int) -> None:
    cleaned = clean(text)
    lines = wrap(cleaned, width)
    assert all(display_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == cleaned.replace(" ", "")


def test_shortening_keeps_both_ends() -> None:
    short = shorten("ghostnetv2_1.0_224_and_much_more_variant_7", 20)
    assert len(short) == 20
    assert short.startswith("ghostnetv")
    assert short.endswith("variant_7")


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("幽灵", 4), ("e\u0301", 1), ("🚀", 2), ("", 0)]
)
def test_display_width(text: str, width: int) -> None:
    assert display_width(text) == width
    assert display_width(pad(text, 10)) == 10


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.4123, "7.412"),
        (31.1, "31.10"),
        (1018.44, "1018"),
        (0.056789, "0.05679"),
        (0, "0.000"),
        (None, ABSENT),
        (float("nan"), ABSENT),
    ],
)
def test_significant(value: float | None, text: str) -> None:
    assert significant(value) == text


def test_limits_have_the_digits_of_their_value() -> None:
    assert interval(Interval(99.95, 98.1, 101.234)) == "99.95 [98.10, 101.23]"
    assert interval(Interval(1.5, float("-inf"), float("nan")), 3) == "1.50 [?, ?]"


def test_the_papers_numbers_gain_no_digits() -> None:
    assert [printed(x) for x in (31.1, 37.0, 75.3)] == ["31.1", "37", "75.3"]


def test_small_numbers() -> None:
    assert millions(6_156_908) == "6.157"
    assert percent(0.0061) == "0.61 %"
    assert spread([1.0, None, 2.5], "s") == "1.0 … 2.5 s"
    assert spread([None]) == ABSENT
