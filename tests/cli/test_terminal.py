"""What a person sees on a terminal, a real one of the kernel's, and what a pipe gets."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from ghostdeploy.report.parts.clean_text import display_width
from tests.command_line import ROOT

STEPS = """
import time
from ghostdeploy.cli.terminal import progress_line
from ghostdeploy.progress import divide
with progress_line() as progress:
    exporting, measuring = divide(progress, (1, 1))
    exporting(0, 4, "exporting [red]a[/red] \\x1b[31mb")
    progress.tell("waiting for the phone")
    time.sleep(2.3)
    for n in range(4):
        measuring(n, 4, f"GhostNetV2 {'very-' * 40}long: round {n}")
print("done")
"""


def on_terminal(code: str, columns: int, **more: str) -> str:
    """What ``code`` writes to a terminal so wide, all of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {
        k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
    }
    environment |= {"TERM": "xterm", "PYTHONPATH": str(ROOT), **more}
    words = [sys.executable, "-c", code]
    child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown, until_s = b"", time.monotonic() + 60
    while time.monotonic() < until_s:
        ready, _, _ = select.select([master], [], [], 1)
        try:
            shown += os.read(master, 65536) if ready else b""
        except OSError:  # the child has closed it
            break
    os.close(master)
    assert child.wait(60) == 0
    return shown.decode().replace("\r\n", "\n")


def piped(code: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    words = [sys.executable, "-c", code]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)


def test_the_clock_ticks_while_a_step_runs_and_nothing_recedes() -> None:
    shown = on_terminal(STEPS, 80)
    lines = [re.sub(r"\x1b\[\d*m", "", part) for part in shown.split("\r\x1b[K")]
    clocks = [line for line in lines if "exporting" in line]
    times = {word for line in clocks for word in line.split() if word.startswith("0:0")}
    assert len(times) > 1, "a busy machine may skip a second, not stand still"
    percents = [int(line.split("%")[0]) for line in lines if "%" in line]
    assert percents == sorted(percents)
    assert percents[-1] == 87
    assert "waiting for the phone\n" in lines
    assert all(display_width(line) <= 80 for line in lines if "%" in line)
    assert all(line.startswith(" 50 %") for line in lines if "round 0" in line)  # its end is there
    assert lines[-1] == "done\n"
    assert "\x1b[31m" not in shown


def test_a_log_gets_plain_lines() -> None:
    done = piped(STEPS)
    assert done.stdout == "done\n"
    assert "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "[  0 %] exporting [red]a[/red] \ufffd[31mb"
    assert lines[1] == "waiting for the phone"
    assert [line[:7] for line in lines[2:]] == ["[ 50 %]", "[ 62 %]", "[ 75 %]", "[ 87 %]"]


def test_progress_that_nobody_reads_ends_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    with open("/dev/full", "w") as full:
        for stream in (write, full.fileno()):
            done = subprocess.run(
                [sys.executable, "-c", STEPS.replace("2.3", "0")],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=stream,
                timeout=60,
            )
            assert (done.returncode, done.stdout) == (0, b"done\n")
    os.close(write)


MODELS = "import sys; sys.argv[1:] = {words!r}; from ghostdeploy.cli.app import main; main()"
EXPLAIN = MODELS.format(words=["export", "--explain"])


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_terminals_width_is_used_and_no_word_is_broken(columns: int) -> None:
    whole = piped(EXPLAIN).stdout
    shown = re.sub(r"\x1b\[\d*m", "", on_terminal(EXPLAIN, columns))
    assert shown.split() == whole.split()
    widths = [display_width(line) for line in shown.splitlines()]
    assert columns - 25 < max(widths) <= columns
    assert max(map(display_width, whole.splitlines())) > 200  # a line each, for grep


def test_a_pipe_gets_the_same_whatever_the_terminal_would_be() -> None:
    plain = piped(EXPLAIN).stdout
    assert "\x1b" not in plain
    assert piped(EXPLAIN, COLUMNS="40", TERM="dumb").stdout == plain


@pytest.mark.parametrize(
    ("words", "environment", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "auto"], {"FORCE_COLOR": "1"}, True),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_who_decides_on_colour(
    words: list[str], environment: dict[str, str], colored: bool, before: bool
) -> None:
    line = [*words, "export", "--explain"] if before else ["export", "--explain", *words]
    done = piped(MODELS.format(words=line), **{"NO_COLOR": "", "FORCE_COLOR": "", **environment})
    assert ("\x1b[" in done.stdout) == colored
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_has_colours_if_it_can(environment: dict[str, str], colored: bool) -> None:
    assert ("\x1b[1m" in on_terminal(EXPLAIN, 80, **environment)) == colored


def test_an_encoding_that_lacks_a_sign_is_no_failure() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXPLAIN],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
