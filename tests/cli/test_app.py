"""What becomes of errors, in this process; tests/test_cli.py starts real ones."""

from __future__ import annotations

import errno
import re
import signal
import sys
from collections.abc import Callable, Iterator

import click
import pytest
from click import shell_completion

from ghostdeploy.cli.app import COMMANDS, main
from ghostdeploy.cli.streams import ReaderGone
from ghostdeploy.commands import models

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def end(monkeypatch, capsys) -> Iterator[Callable[..., tuple[object, str, str]]]:
    """Run the command ``models``, whose work is given: its exit code, output and errors."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}

    def run(work: Callable[[], object], *words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["ghostdeploy", *(words or ("models", "--json"))])
        monkeypatch.setattr(models, "list_models", work)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def fail(error: BaseException) -> Callable[[], object]:
    def work(*_: object, **__: object) -> object:
        raise error

    return work


def test_a_command_ends_with_the_code_that_it_asks_for(end) -> None:
    assert end(list) == (0, "[]\n", "")
    assert end(fail(click.exceptions.Exit(3))) == (3, "", "")
    assert end(list, "--version")[0] == 0
    code, out, told = end(list, "")
    assert (code, out) == (2, "")
    assert told.startswith("error: No such command ''")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ReaderGone(), 0, ""),
        (click.Abort(), 130, "interrupted\n"),
        (BrokenPipeError(), 3, "error: a program that was written to has ended: broken pipe\n"),
        (OSError(errno.EIO, "Input/output error"), 3, "error: Input/output error\n"),
        (OSError(errno.EIO, "Input/output error", "/x"), 3, "error: /x: Input/output error\n"),
        (TimeoutError(), 3, "error: TimeoutError\n"),
        (
            ModuleNotFoundError(name="torch.nn"),
            3,
            "error: torch is not installed; run: pip install 'ghostdeploy[export]'\n",
        ),
    ],
)
def test_errors_of_others_are_one_line(end, error, code, said) -> None:
    assert end(fail(error)) == (code, "", said)


@pytest.mark.parametrize("error", [ModuleNotFoundError("x", name="nowhere"), ImportError("x")])
def test_a_module_that_no_extra_brings_is_a_bug(end, error, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, out, told = end(fail(error))
    assert (code, out) == (4, "")
    assert told.startswith(f"error: this is a bug in ghostdeploy: {type(error).__name__}: x\nlog: ")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_bug_that_leaves_no_log_says_why(end, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", fail(OSError(errno.ENOSPC, "No space left")))
    code, out, told = end(fail(KeyError("x")))
    assert (code, out) == (4, "")
    assert told.endswith("KeyError: 'x'\nlog: none, No space left\n")


def test_a_long_reason_loses_its_middle_beyond_300_characters(end) -> None:
    for length, whole in ((300, True), (301, False)):
        _, _, told = end(fail(OSError(errno.EIO, "x" * length)))
        line = told.removeprefix("error: ").strip()
        assert len(line) <= 300
        assert (line == "x" * length) == whole


def test_a_long_bug_loses_its_middle_beyond_200_characters(end, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for length, whole in ((188, True), (189, False)):
        _, _, told = end(fail(ValueError("x" * length)))
        line = told.splitlines()[0].removeprefix("error: this is a bug in ghostdeploy: ")
        assert len(line) <= 200
        assert (line == "ValueError: " + "x" * length) == whole


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_command_and_a_second_does_not_disturb_that(end, number) -> None:
    code, out, told = end(lambda: signal.raise_signal(number))
    assert (code, out, told) == (128 + number, "", "")
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_signal_that_is_ignored_stays_so(end) -> None:
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert end(lambda: signal.raise_signal(signal.SIGHUP) or [])[0] == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_bash_is_completed_our_way(end, monkeypatch) -> None:
    monkeypatch.setitem(shell_completion._available_shells, "bash", shell_completion.BashComplete)
    end(list)
    assert shell_completion.get_completion_class("bash") is shell_completion.BashComplete
    monkeypatch.setenv("_GHOSTDEPLOY_COMPLETE", "bash_complete")
    end(list)
    ours = shell_completion.get_completion_class("bash")
    assert ours is not None
    assert 'COMP_LINE="$line"' in ours.source_template


@pytest.mark.parametrize("columns", [60, 80, 121, 200])
def test_the_help_takes_120_columns_at_most(end, monkeypatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, text, _ = end(list, "--help")
    assert min(columns, 120) - 12 <= max(map(len, text.splitlines())) <= min(columns, 120) - 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_words_of_the_help_are_cut_only_where_they_do_not_fit(end, monkeypatch, command) -> None:
    """Each command is one line: of two columns, a name, two more and what it is for."""
    words = command.get_short_help_str(500)
    needed = 2 + max(len(str(other.name)) for other in COMMANDS) + 2 + len(words)
    for room in (needed, needed - 1):
        monkeypatch.setenv("COLUMNS", str(room + 2))
        _, text, _ = end(list, "--help")
        lines = re.findall("^  .*", text.partition("\nMake a model file:")[2], re.M)
        assert len(lines) == len(COMMANDS)
        (line,) = [line for line in lines if line.split()[0] == command.name]
        assert len(line) <= room
        assert line.endswith(words) == (room == needed)
