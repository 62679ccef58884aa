"""Quoting survives every shell; a message shows a command in one line."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.adb.text import join_words, quote_word, shorten_command
from android_bench.errors import OptionError

HARD = (
    "",
    " ",
    "a b",
    "it's",
    '"',
    "$(id)",
    "`id`",
    "$HOME",
    "a\nb",
    "\\n",
    "ä€😀",
    "-e",
    "*",
    "~",
    ";&|",
)
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=20)


@given(st.lists(st.one_of(TEXT, st.sampled_from(HARD)), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_shell_gives_each_word_back(words):
    source = f"printf '%s\\0' {join_words(words)}"
    run = subprocess.run(["sh", "-c", source], capture_output=True, check=True)
    assert run.stdout.split(b"\0")[:-1] == [word.encode() for word in words]


def test_a_zero_byte_is_refused():
    with pytest.raises(OptionError, match="zero byte"):
        quote_word("a\0b")


def test_no_words_are_refused():
    with pytest.raises(OptionError, match="at least one word"):
        join_words([])


def test_messages_show_commands_in_one_short_line():
    assert shorten_command(["a", "b\nc"]) == "a b c"
    assert len(shorten_command("x" * 500)) == 80
