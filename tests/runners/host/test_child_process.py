"""A child process is bounded in time and output, and never left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ghostdeploy.runners.host.child_process import (
    CUT,
    MAX_OUTPUT_BYTES,
    decode_bounded,
    run_process,
)
from ghostdeploy.runners.host.disturbance import CoreTime, find_disturbance
from ghostdeploy.runners.local import why_not_valid


def python(code: str, timeout_s: float = 60.0):
    return run_process([sys.executable, "-c", code], timeout_s, os.environ)


def alive(pid: int) -> bool:
    """Whether ``pid`` runs; an ended one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_output_and_code_are_kept():
    got = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (got.returncode, got.stdout, got.stderr) == (3, "out\n", "err\n")
    assert not got.timed_out
    assert got.killed_by == ""
    assert why_not_valid(got, 60) == ""


def test_a_flood_is_cut_in_the_middle():
    got = python(
        "import sys; sys.stderr.write('first\\n' + 'x' * 3_000_000 + '\\nlast'); print('{}')"
    )
    assert got.stdout == "{}\n"
    assert len(got.stderr) == MAX_OUTPUT_BYTES
    assert got.stderr.startswith("first\n")
    assert got.stderr.endswith("\nlast")
    assert CUT.decode() in got.stderr


@pytest.mark.parametrize("size", [0, 1, MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES + 1])
def test_bounded_text(size):
    data = b"a" * size
    text = decode_bounded(data)
    assert len(text) <= MAX_OUTPUT_BYTES
    assert (text == data.decode()) == (size <= MAX_OUTPUT_BYTES)
    assert decode_bounded(b"\xff") == "\ufffd"


def test_a_timeout_kills_the_whole_group(tmp_path):
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    timeout_s, got = 1.0, python(code, 1.0)
    while not note.exists():  # the machine was too slow for the timeout to find it at work
        timeout_s *= 2
        got = python(code, timeout_s)
    assert got.timed_out
    assert why_not_valid(got, 2.0) == "did not finish in 2 s"
    for pid in map(int, note.read_text().split()):
        deadline = time.monotonic() + 20
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not alive(pid)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_signal_is_named(number):
    got = python(f"import os; os.kill(os.getpid(), {int(number)})")
    assert got.killed_by == number.name
    assert number.name in why_not_valid(got, 60)


def test_a_very_long_timeout_is_no_error():
    assert python("print(1)", 1e12).stdout == "1\n"


def test_a_program_that_is_not_there():
    with pytest.raises(OSError, match="nowhere"):
        run_process(["/nowhere/at/all"], 5, os.environ)


@pytest.mark.parametrize(
    ("asked", "allowed", "stolen_s", "wall_s", "says"),
    [
        ((1,), (1,), None, 1.0, ""),
        ((1,), (1,), 0.0, 1.0, ""),
        ((1,), (1,), 0.02, 0.1, ""),  # two ticks say nothing
        ((1,), (1,), 0.04, 1.0, ""),
        ((0, 1), (1, 0), 0.08, 1.0, ""),  # 4 % of each of two cores
        ((), (0, 1), 0.0, 1.0, ""),  # not pinned
        ((1,), (1,), 0.5, 1.0, "took 50% of its time"),
        ((1,), (0, 1), 0.0, 1.0, "pinned to the cores 1 but could run on 0,1"),
        ((1,), (), 0.0, 1.0, "could run on unknown"),
    ],
)
def test_disturbance(asked, allowed, stolen_s, wall_s, says, monkeypatch):
    monkeypatch.undo()  # the real limits
    got = find_disturbance(asked, allowed, 1, CoreTime(wall_s, stolen_s), 0.05)
    assert says in got
    assert bool(says) == bool(got)


def test_a_child_is_born_under_the_mask_that_is_lent_to_it():
    ours = os.sched_getaffinity(0)
    for cpu in sorted(ours)[:2]:
        code = "import os; print(*os.sched_getaffinity(0))"
        got = run_process([sys.executable, "-c", code], 60.0, os.environ, (cpu,))
        assert got.stdout.split() == [str(cpu)]
        assert os.sched_getaffinity(0) == ours
    run_process([sys.executable, "-c", ""], 60.0, os.environ, (4094,))  # the child's to complain
    assert os.sched_getaffinity(0) == ours
