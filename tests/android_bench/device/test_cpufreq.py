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


def test_clocks_from_10_mhz_to_10_ghz_and_a_policys_own_cpus():
    def clock(khz):
        base = "cpufreq/policy0/"
        (freq,) = parse_freqs({base + "related_cpus": "0", base + "scaling_cur_freq": khz})
        return freq.cur_khz

    found = [clock(khz) for khz in ("9999", "10000", "10000000", "10000001", "x", "0")]
    assert found == [None, 10_000, 10_000_000, None, None, None]


def test_related_cpus_outweigh_affected_ones_and_governors_are_names():
    base = "cpufreq/policy0/"
    files = {base + "related_cpus": "0 1", base + "affected_cpus": "0"}
    names = {"walt": "walt", "sched_pixel": "sched_pixel", "energy-step": "energy-step", "": None}
    for written, known in names.items():
        found = parse_freqs({**files, base + "scaling_governor": written})
        assert found == (CpuFreq((0, 1), governor=known),)
    assert parse_freqs({"cpu0/other/related_cpus": "0"}) == ()
