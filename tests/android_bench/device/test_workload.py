"""The timed loop runs on this machine, and a device that cannot time it says so."""

from __future__ import annotations

from android_bench.device.workload import Workload, calibrate, measure_slowdown
from tests.android_bench.device_phones import LocalShell, Result


def test_the_test_loop_runs_here(monkeypatch):
    monkeypatch.setattr("android_bench.device.workload.TARGET_S", 0.1)
    work = calibrate(LocalShell())
    assert work.rounds > 1
    assert 0.02 < work.baseline_s < 5
    assert 0.1 < measure_slowdown(LocalShell(), work) < 10


def test_a_device_that_cannot_time_it_says_none():
    class Mute(LocalShell):
        def shell(self, command, timeout_s=30.0):
            return Result(b"", b"denied", 1)

    assert calibrate(Mute()) is None
    assert measure_slowdown(Mute(), Workload(10, "", 1.0)) is None
