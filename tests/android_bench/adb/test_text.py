"""Quoting survives every shell; a serial makes a file name of its own."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.adb.text import join, quote, safe_name, shown
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
    source = f"printf '%s\\0' {join(words)}"
    run = subprocess.run(["sh", "-c", source], capture_output=True, check=True)
    assert run.stdout.split(b"\0")[:-1] == [word.encode() for word in words]


def test_a_zero_byte_is_refused():
    with pytest.raises(OptionError, match="zero byte"):
        quote("a\0b")


def test_no_words_are_refused():
    with pytest.raises(OptionError, match="at least one word"):
        join([])


@pytest.mark.parametrize(
    ("serial", "name"),
    [
        ("127.0.0.1:5555", "127.0.0.1_5555"),
        ("emulator-5554", "emulator-5554"),
        ("R58M123ABC", "R58M123ABC"),
    ],
)
def test_usual_serials_stay_readable(serial, name):
    assert safe_name(serial) == name


@given(st.lists(TEXT.filter(bool), min_size=2, max_size=2, unique=True))
def test_other_serials_have_safe_names_of_their_own(serials):
    names = [safe_name(serial) for serial in serials]
    assert names[0] != names[1]
    for name in names:
        assert name.strip(".")
        assert len(name) < 80
        assert all(sign.isascii() and (sign.isalnum() or sign in "._-") for sign in name)


def test_messages_show_commands_in_one_short_line():
    assert shown(["a", "b\nc"]) == "a b c"
    assert len(shown("x" * 500)) == 80
