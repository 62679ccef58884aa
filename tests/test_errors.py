"""What is told of an error that somebody else's code raised."""

from __future__ import annotations

from ghostdeploy.errors import error_line


def test_the_first_line_is_told_or_else_the_kind() -> None:
    assert error_line(ValueError("  one \ntwo")) == "one"
    assert error_line(KeyError()) == "KeyError"


def test_a_long_line_keeps_its_beginning_and_its_last_words() -> None:
    told = error_line(RuntimeError("LiteRT says" + " x" * 500 + " and that is the reason"), 100)
    assert len(told) <= 100
    assert told.startswith("LiteRT says x")
    assert told.endswith("x and that is the reason")


def test_what_fits_is_not_touched() -> None:
    assert error_line("x" * 160, 160) == "x" * 160
    assert len(error_line("x" * 161, 160)) <= 160
    assert error_line("x" * 500) == "x" * 500
    assert error_line("x" * 501) != "x" * 501


def test_what_does_not_fit_takes_the_room_that_there_is() -> None:
    for most in (100, 101, 500):
        assert most - 1 <= len(error_line("x" * 1000, most)) <= most
