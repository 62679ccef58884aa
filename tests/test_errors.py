"""What is told of an error that somebody else's code raised."""

from __future__ import annotations

from ghostdeploy.errors import error_line, shorten


def test_the_first_line_is_told_or_else_the_kind() -> None:
    assert error_line(ValueError("  one \ntwo")) == "one"
    assert error_line(KeyError()) == "KeyError"


def test_a_long_line_keeps_its_beginning_and_its_last_words() -> None:
    said = "[ONNXRuntimeError] : 1 : FAIL : " + "x" * 500 + " max supported IR version: 11"
    told = error_line(RuntimeError(said), 100)
    assert len(told) == 100
    assert told.startswith("[ONNXRuntimeError] : 1 : FAIL : ")
    assert told.endswith("x max supported IR version: 11")


def test_what_fits_is_not_touched() -> None:
    assert shorten("x" * 160, 160) == "x" * 160
    assert len(shorten("x" * 161, 160)) == 160
