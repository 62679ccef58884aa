"""Untrusted text made safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostdeploy.report.parts.clean_text import (
    clean,
    display_width,
    pad,
    shorten,
    shorten_apart,
    shorten_to_width,
    wrap,
)

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


@given(st.lists(ANY_TEXT, max_size=6), st.integers(16, 40))
def test_different_texts_stay_different_when_cut(texts: list[str], limit: int) -> None:
    cut = shorten_apart(texts, limit)
    assert all(len(text) <= limit for text in cut)
    whole = [clean(text, 8 * limit) for text in texts]
    for n, text in enumerate(whole):
        assert [whole[m] == text for m in range(len(whole))] == [
            cut[m] == cut[n] for m in range(len(cut))
        ]


def test_names_that_differ_in_the_middle_are_cut_before_it() -> None:
    names = [f"{'features/' * 9}block_{n}/{'deeper/' * 9}Conv2D" for n in (3, 4)]
    first, second = shorten_apart(names, 40)
    assert "block_3" in first
    assert "block_4" in second
    assert shorten_apart(["a", "b"], 40) == ["a", "b"]


def test_shortened_to_columns():
    assert shorten_to_width("幽灵网络幽灵网络", 9) == "幽灵…网络"
    assert display_width(shorten_to_width("é" * 50 + "幽" * 50, 20)) <= 20


def test_no_character_is_of_unknown_width():
    assert clean("a\ufffeb\U0001ffffc") == "a\ufffdb\ufffdc"
