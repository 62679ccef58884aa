"""Groups of equal CPUs, their roles, and the choice of one of them."""

from __future__ import annotations

import pytest

from android_bench.device.clusters import (
    choose_cpus,
    find_clusters,
    parse_capacities,
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


def test_roles_go_by_capacity_where_the_kernel_tells_it():
    """EAS kernels scale to the fastest core, 1024; a little core with a higher clock is slower."""
    cores = [Core(cpu, name="Cortex-A55" if cpu < 4 else "Cortex-A78") for cpu in range(6)]
    freqs = [CpuFreq((0, 1, 2, 3), max_khz=3_000_000), CpuFreq((4, 5), max_khz=2_000_000)]
    found = find_clusters(cores, freqs, {**dict.fromkeys(range(4), 300), 4: 1024, 5: 1024})
    assert [(c.role, c.capacity, c.max_khz) for c in found] == [
        ("little", 300, 3_000_000),
        ("big", 1024, 2_000_000),
    ]


def test_of_unknown_designs_the_capacity_and_then_the_clock_tell_the_speed():
    cores = [Core(cpu) for cpu in range(4)]
    freqs = [CpuFreq((0, 1), max_khz=2_500_000), CpuFreq((2, 3), max_khz=2_000_000)]
    assert [c.mask for c in find_clusters(cores, freqs, {})] == ["0c", "03"]
    capacities = {0: 300, 1: 300, 2: 1024, 3: 1024}
    assert [c.mask for c in find_clusters(cores, freqs, capacities)] == ["03", "0c"]
    assert [c.max_khz for c in find_clusters(cores, [], {})] == [None]


def test_of_two_designs_with_one_clock_the_newer_is_faster():
    """Snapdragon 8 Gen 2 clocks A715 and A710 by one policy."""
    cores = [Core(3, name="Cortex-A715"), Core(4, name="Cortex-A710")]
    found = find_clusters(cores, [CpuFreq((3, 4), max_khz=2_800_000)], {})
    assert [(c.name, c.role) for c in found] == [("Cortex-A710", "little"), ("Cortex-A715", "big")]


def test_a_policy_of_two_designs_lends_neither_to_an_offline_core():
    cores = [Core(3, name="Cortex-A715"), Core(4, name="Cortex-A710")]
    found = find_clusters(cores, [CpuFreq((3, 4, 5), max_khz=2_800_000)], {})
    assert {c.name: c.cpus for c in found}[None] == (5,)


@pytest.mark.parametrize(
    ("rows", "roles"),
    [
        # four clusters: little, mid, big, prime, and without a single fast core two mids
        ([("Cortex-A510", 3, 2.0), ("Cortex-A710", 2, 2.8), ("Cortex-A715", 2, 2.9),
          ("Cortex-X3", 1, 3.2)], ["little", "mid", "big", "prime"]),
        ([("Cortex-A53", 2, 1.0), ("Cortex-A53", 2, 1.5), ("Cortex-A73", 2, 2.0),
          ("Cortex-A73", 2, 2.4)], ["little", "mid", "mid", "big"]),
        ([("Cortex-A55", 4, 1.8), ("Cortex-X1", 1, 2.8)], ["little", "big"]),
    ],
)  # fmt: skip
def test_roles_of_other_numbers_of_clusters(rows, roles, monkeypatch):
    monkeypatch.setitem(PHONES, "rows", (rows, roles))
    assert [cluster.role for cluster in clusters_of("rows")] == roles


def test_capacities_from_1_to_1024():
    paths = {
        "cpu0/cpu_capacity": "1", "cpu1/cpu_capacity": "1024", "cpu2/cpu_capacity": "0",
        "cpu3/cpu_capacity": "1025", "cpu4/other": "5", "x/cpu_capacity": "5",
        "/sys/devices/system/cpu/cpu10/cpu_capacity": "99",
    }  # fmt: skip
    assert parse_capacities(paths) == {0: 1, 1: 1024, 10: 99}


def test_a_choice_says_what_it_is_of():
    clusters = clusters_of("kirin980")
    assert choose_cpus(clusters, "c0").clusters == ("Cortex-A76 2.60 GHz",)
    assert choose_cpus(clusters, "3c").clusters == ("Cortex-A55 1.80 GHz", "Cortex-A76 1.92 GHz")
    assert choose_cpus(clusters, None, 3).mask == "0f"
    assert choose_cpus(clusters, None, 2).mask == "c0"
    assert choose_cpus(clusters_of("snapdragon855")).cpus == (7,)
    assert choose_cpus(clusters_of("unknown"), "big").clusters == ("unknown core 2.50 GHz",)
    plain = find_clusters([Core(0, name="Cortex-A53")], [], {})
    assert choose_cpus(plain, "big").clusters == ("Cortex-A53",)
    with pytest.raises(OptionError, match="lacks CPUs 8, 9 of mask '300'"):
        choose_cpus(clusters, "300")


def test_of_two_mid_clusters_the_faster_is_chosen(monkeypatch):
    rows = [("Cortex-A53", 1, 1.0), ("Cortex-A53", 1, 1.5), ("Cortex-A73", 1, 2.0)]
    rows.append(("Cortex-A73", 2, 2.4))
    monkeypatch.setitem(PHONES, "rows", (rows, []))
    assert choose_cpus(clusters_of("rows"), "mid").cpus == (2,)
