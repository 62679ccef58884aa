"""The clocks of the CPUs, by the files of old and new kernels."""

from __future__ import annotations

from android_bench.device.clusters import (
    parse_capacities,
)
from android_bench.device.cpufreq import CpuFreq, parse_freqs


def test_cpufreq_files():
    base = "cpufreq/policy4/"
    files = {
        base + "related_cpus": "4 5", base + "scaling_max_freq": "1800000",
        base + "cpuinfo_max_freq": "99", base + "scaling_governor": "sched util\x1b[0m",
        "cpu0/cpufreq/affected_cpus": "0-3", "cpu1/cpufreq/affected_cpus": "0-3",
        "cpufreq/policy9/related_cpus": "9-99999999",
    }  # fmt: skip
    assert parse_freqs(files) == (CpuFreq((0, 1, 2, 3)), CpuFreq((4, 5), cap_khz=1_800_000))
    assert parse_capacities({"cpu4/cpu_capacity": "756", "cpu5/cpu_capacity": "4096"}) == {4: 756}
