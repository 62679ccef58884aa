"""Groups of equal CPUs, their roles, and the choice of one of them."""

from __future__ import annotations

import pytest

from android_bench.device.clusters import (
    choose_cpus,
    find_clusters,
)
from android_bench.device.cores import Core
from android_bench.device.cpufreq import CpuFreq
from android_bench.errors import OptionError

# name, [(design, CPUs, GHz)], roles from slow to fast
PHONES = {
    "kirin980": (
        [("Cortex-A55", 4, 1.8), ("Cortex-A76", 2, 1.92), ("Cortex-A76", 2, 2.6)],
        ["little", "mid", "big"],
    ),
    "snapdragon855": (
        [("Kryo-4XX-Silver", 4, 1.78), ("Kryo-4XX-Gold", 3, 2.42), ("Kryo-4XX-Gold", 1, 2.84)],
        ["little", "big", "prime"],
    ),
    "tensor": (
        [("Cortex-A55", 4, 1.8), ("Cortex-A76", 2, 2.25), ("Cortex-X1", 2, 2.8)],
        ["little", "big", "prime"],
    ),
    "exynos9820": (
        [("Cortex-A55", 4, 1.95), ("Cortex-A75", 2, 2.31), ("Exynos-M4", 2, 2.73)],
        ["little", "mid", "big"],
    ),
    "two": ([("Cortex-A53", 4, 1.8), ("Cortex-A73", 4, 2.36)], ["little", "big"]),
    "same": ([("Cortex-A53", 4, 1.7), ("Cortex-A53", 4, 2.36)], ["little", "big"]),
    "one": ([("Cortex-A53", 4, 1.5)], ["big"]),
    "slow big cores": ([("Cortex-A55", 6, 2.0), ("Cortex-A75", 2, 1.8)], ["little", "big"]),
    "unknown": ([(None, 4, 1.5), (None, 4, 2.5)], ["little", "big"]),
}


def clusters_of(name):
    rows, _ = PHONES[name]
    cores, freqs, cpu = [], [], 0
    for design, count, ghz in rows:
        cpus = tuple(range(cpu, cpu + count))
        cores += [Core(n, name=design) for n in cpus]
        freqs.append(CpuFreq(cpus, max_khz=round(ghz * 1e6)))
        cpu += count
    return find_clusters(cores, freqs, {})


@pytest.mark.parametrize("name", PHONES)
def test_roles(name):
    clusters = clusters_of(name)
    assert [cluster.role for cluster in clusters] == PHONES[name][1]
    assert [cluster.name for cluster in clusters] == [row[0] for row in PHONES[name][0]]


@pytest.mark.parametrize(
    ("name", "wanted", "threads", "mask", "cpus"),
    [
        ("kirin980", None, 1, "c0", (6, 7)),
        ("kirin980", None, 4, "0f", (0, 1, 2, 3)),
        ("kirin980", None, 8, "c0", (6, 7)),
        ("kirin980", "big", 1, "c0", (6, 7)),
        ("kirin980", "mid", 1, "30", (4, 5)),
        ("kirin980", "little", 1, "0f", (0, 1, 2, 3)),
        ("kirin980", "prime", 1, "c0", (6, 7)),
        ("kirin980", "all", 1, "ff", tuple(range(8))),
        ("kirin980", "f0", 1, "f0", (4, 5, 6, 7)),
        ("kirin980", "0xF0", 1, "f0", (4, 5, 6, 7)),
        ("kirin980", "1", 1, "01", (0,)),
        ("snapdragon855", None, 1, "80", (7,)),
        ("snapdragon855", None, 2, "70", (4, 5, 6)),
        ("snapdragon855", "big", 1, "70", (4, 5, 6)),
        ("snapdragon855", "prime", 1, "80", (7,)),
        ("tensor", "big", 1, "30", (4, 5)),
        ("tensor", "prime", 1, "c0", (6, 7)),
        ("two", "prime", 1, "f0", (4, 5, 6, 7)),
        ("two", "big", 1, "f0", (4, 5, 6, 7)),
        ("slow big cores", None, 1, "c0", (6, 7)),
        ("one", "big", 1, "0f", (0, 1, 2, 3)),
        ("one", None, 1, "0f", (0, 1, 2, 3)),
        ("unknown", "big", 1, "f0", (4, 5, 6, 7)),
    ],
)
def test_choice(name, wanted, threads, mask, cpus):
    choice = choose_cpus(clusters_of(name), wanted, threads)
    assert (choice.mask, choice.cpus) == (mask, cpus)
    assert choice.mixed == (wanted in ("all", "f0", "0xF0"))


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        ("kirin980", "100", "lacks CPUs 8 of mask '100'"),
        ("kirin980", "fast", "names no CPUs"),
        ("kirin980", "", "names no CPUs"),
        ("kirin980", "0", "names no CPUs"),
        ("kirin980", "0x", "names no CPUs"),
        ("kirin980", "f" * 300, "names no CPUs"),
        ("kirin980", "4-7", "names no CPUs"),
        ("kirin980", "big\n", "names no CPUs"),
        ("kirin980", "-f", "names no CPUs"),
        ("one", "little", "no little CPUs"),
        ("two", "mid", "no mid CPUs"),
    ],
)
def test_a_bad_choice_lists_what_there_is(name, wanted, says):
    with pytest.raises(OptionError) as caught:
        choose_cpus(clusters_of(name), wanted)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    for cluster in clusters_of(name):
        assert f"{cluster.role} {cluster.mask}" in message


def test_a_device_that_tells_no_clusters_takes_masks_only():
    assert choose_cpus((), None).cpus == ()
    assert choose_cpus((), None).mask == ""
    assert choose_cpus((), "f0").cpus == (4, 5, 6, 7)
    for wanted in ("big", "prime", "all"):
        with pytest.raises(OptionError, match="give a hex mask"):
            choose_cpus((), wanted)


def test_capacities_split_what_cpufreq_does_not_tell():
    cores = [Core(cpu, name="Cortex-A55" if cpu < 4 else "Cortex-A76") for cpu in range(8)]
    capacities = dict(enumerate([214] * 4 + [756] * 2 + [1024] * 2))
    assert [c.mask for c in find_clusters(cores, (), capacities)] == ["0f", "30", "c0"]
    assert [c.mask for c in find_clusters(cores, (), {0: 214})] == ["0f", "f0"]
    assert find_clusters((), (), {}) == ()


def test_equal_policies_of_equal_cores_are_one_cluster():
    cores = [Core(cpu, name="Cortex-A53") for cpu in range(8)]
    freqs = [CpuFreq(tuple(range(n, n + 4)), max_khz=2_000_000) for n in (0, 4)]
    assert [c.mask for c in find_clusters(cores, freqs, {})] == ["ff"]


def test_a_core_that_was_offline_takes_its_policys_design():
    cores = [Core(cpu, name="Cortex-A76") for cpu in (4, 5)]
    freqs = [CpuFreq((4, 5, 6, 7), max_khz=2_600_000)]
    (cluster,) = find_clusters(cores, freqs, {})
    assert (cluster.name, cluster.mask) == ("Cortex-A76", "f0")
