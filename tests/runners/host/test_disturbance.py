"""What other programs use while a launch runs: from recorded counters, and beside real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from statistics import median

import pytest

from ghostdeploy.runners import open_runner
from ghostdeploy.runners.host import disturbance
from ghostdeploy.runners.host.disturbance import (
    CoreTime,
    CpuCounters,
    compare_counters,
    find_disturbance,
)
from ghostdeploy.schema import BenchParams, DeviceState, Launch

TICK = os.sysconf("SC_CLK_TCK")
CPU = max(os.sched_getaffinity(0))
LIMIT = 0.05
# user nice system idle iowait irq softirq steal guest guest_nice
BEFORE = "cpu 30000 400 6000 65000 300 0 80 120 0 0\ncpu1 15000 200 3000 33000 150 0 40 60 0 0\n"
AFTER = "cpu 30230 410 6050 65100 300 5 85 130 0 0\ncpu1 15080 210 3005 33000 160 2 43 65 0 0\n"


def looked(monkeypatch, tmp_path, stat: str, at_s: float, children_s: float | None) -> CpuCounters:
    (tmp_path / "stat").write_text(stat)
    monkeypatch.setattr(disturbance, "STAT", tmp_path / "stat")
    monkeypatch.setattr(disturbance.time, "monotonic", lambda: at_s)
    monkeypatch.setattr(disturbance.machine, "read_children_cpu_s", lambda: children_s)
    return disturbance._look((1,))


def test_what_the_kernel_counted_around_a_launch(monkeypatch, tmp_path):
    before = looked(monkeypatch, tmp_path, BEFORE, 7.0, 3.0)
    after = looked(monkeypatch, tmp_path, AFTER, 8.0, 3.6)
    got = compare_counters(before, after)
    assert got.wall_s == 1.0
    assert got.stolen_s == pytest.approx(5 / TICK)
    assert got.cpu_s == pytest.approx(0.6)
    assert got.neighbours_s == pytest.approx(max(0.0, 100 / TICK - 0.6))
    assert compare_counters(before, before) == CoreTime(0.0, 0.0, 0.0, 0.0)


def test_what_is_not_told_is_none(monkeypatch, tmp_path):
    nothing = looked(monkeypatch, tmp_path, "", 7.0, None)
    assert compare_counters(nothing, nothing) == CoreTime(0.0)
    some = looked(monkeypatch, tmp_path, BEFORE, 7.0, None)
    assert compare_counters(some, some) == CoreTime(0.0, 0.0)
    monkeypatch.setattr(disturbance, "STAT", tmp_path / "absent")
    assert disturbance._look((1,)).steal_s is None


@pytest.mark.parametrize(
    ("asked", "threads", "cpu_s", "neighbours_s", "says"),
    [
        ((1,), 1, 10.0, None, ""),
        ((1,), 1, None, None, ""),
        ((1,), 1, 9.9, 0.0, ""),
        ((1,), 1, 9.6, 0.4, ""),  # 4 % is below the limit
        ((1,), 1, 9.3, 0.7, "other programs took 7% of its cores' time"),
        ((1,), 1, 5.0, 5.0, "other programs took 50% of its cores' time"),
        ((0, 1), 2, 18.0, 2.0, "other programs took 10%"),
        ((0, 1), 1, 10.0, 10.0, ""),  # the second core was to spare
        ((0, 1), 1, 5.0, 15.0, "other programs took 50%"),
    ],
)
def test_neighbours_spoil_a_launch(asked, threads, cpu_s, neighbours_s, says, monkeypatch):
    monkeypatch.undo()  # the real limits
    got = find_disturbance(asked, asked, threads, CoreTime(10.0, 0.0, cpu_s, neighbours_s), LIMIT)
    assert says in got
    assert bool(says) == bool(got)


@pytest.mark.parametrize(
    ("cpu_s", "neighbours_s", "flagged"),
    [
        (0.99, 0.02, False),  # two ticks
        (0.99, 0.06, True),
        (0.5, 0.12, False),  # half of 100 ticks: 3 standard errors of 5 ticks
        (0.5, 0.18, True),
    ],
)
def test_a_short_launch_is_not_judged_by_the_error_of_counting(
    cpu_s, neighbours_s, flagged, monkeypatch
):
    monkeypatch.undo()
    got = find_disturbance((1,), (1,), 1, CoreTime(1.0, 0.0, cpu_s, neighbours_s), LIMIT)
    assert bool(got) == flagged


def test_the_shares_of_a_launch():
    def launch(**changes):
        fields = {"cpus": (2, 3), "cpu_s": 3.0, "neighbours_s": 1.0, **changes}
        before, after = DeviceState(cpu_busy_s=100.0, uptime_s=50.0), changes.pop("after", None)
        fields["state_after"] = after or DeviceState(cpu_busy_s=107.0, uptime_s=55.0)
        fields.pop("after", None)
        return Launch(0, 0, "t", (), None, state_before=before, **fields)

    assert launch().others_share(8) == pytest.approx(0.1)
    assert launch().neighbours_share == pytest.approx(0.1)
    assert launch(cpu_s=9.0).others_share(8) == 0.0
    assert launch(cpu_s=None).others_share(8) is None
    assert launch(neighbours_s=None).neighbours_share is None
    for state in (DeviceState(uptime_s=55.0), DeviceState(cpu_busy_s=107.0)):
        assert launch(after=state).others_share(8) is None
    standing = DeviceState(cpu_busy_s=100.0, uptime_s=50.0)
    assert launch(after=standing).others_share(8) is None
    assert launch(after=standing).neighbours_share is None


@contextmanager
def spinners(count: int):
    """Programs that keep the core CPU busy."""
    code = f"import os; os.sched_setaffinity(0, [{CPU}]); print(flush=True)\nwhile True: pass"
    argv = [sys.executable, "-c", code]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in running:
            process.stdout.read(1)
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()


def launches(path, count: int) -> list[Launch]:
    params = BenchParams(runs=60, warmup=2, cpus=str(CPU))
    runner = open_runner("local", params)
    return [runner.launch(path, params) for _ in range(count)]


def test_programs_on_our_core_make_a_launch_invalid(heavy, monkeypatch):
    quiet = launches(heavy, 3)
    assert all(0 < x.cpu_s < 60 for x in quiet)
    monkeypatch.undo()  # the real limits
    with spinners(3):  # they get three quarters of what the rest of the machine leaves of the core
        busy = launches(heavy, 3)
    for launch in busy:
        assert not launch.valid
        assert "took" in launch.why_not
        assert launch.samples_ms
        assert launch.neighbours_share > 0.25
        assert launch.others_share(1) > 0.25
    least = min(x.cpu_s / x.wall_s for x in quiet)
    assert median(x.cpu_s / x.wall_s for x in busy) < max(0.5, least)
