"""What the CPU cores are, by /proc/cpuinfo of several ages."""

from __future__ import annotations

from android_bench.device.cores import (
    CORE_NAMES,
    Core,
    classify_core,
    parse_cpuinfo,
    read_design_number,
)


def test_the_same_part_number_is_another_core_of_another_implementer():
    assert CORE_NAMES[0x48, 0xD40] == CORE_NAMES[0x41, 0xD0B] == "Cortex-A76"
    assert CORE_NAMES[0x41, 0xD40] == "Neoverse-V1"
    assert CORE_NAMES[0x41, 0xD05] == "Cortex-A55"
    names = ("Cortex-A510", "Cortex-A710", "Cortex-X3", None, "0x41/0xfff")
    assert [classify_core(name) for name in names] == [0, 1, 2, None, None]


BLOCK = "processor\t: {0}\nCPU implementer\t: {1}\nCPU part\t: {2}\n\n"


def test_cpuinfo_of_several_ages():
    new = "".join(BLOCK.format(n, "0x41", "0xd05" if n < 2 else "0xfff") for n in range(3))
    assert [c.name for c in parse_cpuinfo(new.encode()).cores] == [
        "Cortex-A55", "Cortex-A55", "0x41/0xfff",
    ]  # fmt: skip
    old = b"processor\t: 0\nprocessor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n"
    assert [c.name for c in parse_cpuinfo(old).cores] == [None, None]
    assert [c.name for c in parse_cpuinfo(old.partition(b"\n")[2]).cores] == ["Cortex-A53"]
    more = b"processor\t: 2\n\nprocessor\t: 3\n\n" + old
    assert [c.name for c in parse_cpuinfo(more).cores] == [None] * 4
    x86 = b"processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n"
    assert parse_cpuinfo(x86).cores == (Core(0, name="Some CPU @ 2.00GHz"),)
    assert parse_cpuinfo(b"processor\t: 99999999999\n").cores == ()


# Part numbers of Arm's Technical Reference Manuals: MIDR_EL1[15:4] of each core.
def test_numbers_of_the_manuals():
    manuals = {
        0xD03: "Cortex-A53", 0xD05: "Cortex-A55", 0xD08: "Cortex-A72", 0xD09: "Cortex-A73",
        0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0D: "Cortex-A77", 0xD41: "Cortex-A78",
        0xD44: "Cortex-X1", 0xD46: "Cortex-A510", 0xD47: "Cortex-A710", 0xD48: "Cortex-X2",
        0xD4D: "Cortex-A715", 0xD4E: "Cortex-X3", 0xD80: "Cortex-A520", 0xD81: "Cortex-A720",
        0xD82: "Cortex-X4", 0xD85: "Cortex-X925", 0xD87: "Cortex-A725", 0xD89: "Cortex-A720AE",
        0xD8C: "C1-Ultra", 0xD90: "C1-Premium", 0xC07: "Cortex-A7", 0xC09: "Cortex-A9",
        0xC0F: "Cortex-A15", 0xC0E: "Cortex-A17", 0xD01: "Cortex-A32", 0xD04: "Cortex-A35",
        0xD07: "Cortex-A57", 0xD0C: "Neoverse-N1", 0xD0E: "Cortex-A76AE", 0xD40: "Neoverse-V1",
        0xD42: "Cortex-A78AE", 0xD49: "Neoverse-N2", 0xD4B: "Cortex-A78C", 0xD4C: "Cortex-X1C",
        0xD4F: "Neoverse-V2", 0xD84: "Neoverse-V3",
    }  # fmt: skip
    assert {part: CORE_NAMES[0x41, part] for part in manuals} == manuals


def test_designs_are_made_to_save_power_for_both_or_for_speed():
    little = ("Cortex-A7", "Cortex-A35", "Cortex-A53", "Cortex-A55", "Cortex-A510", "Cortex-A520")
    big = ("Cortex-A72", "Cortex-A76", "Cortex-A720", "Kryo-4XX-Gold", "Exynos-M4", "Oryon")
    prime = ("Cortex-X1", "Cortex-X1C", "Cortex-X4", "Cortex-X925", "C1-Ultra")
    found = [{classify_core(name) for name in names} for names in (little, big, prime)]
    assert found == [{0}, {1}, {2}]
    assert classify_core("Kryo-4XX-Silver") == 0


def test_the_number_in_a_designs_name():
    names = ("Cortex-A715", "Cortex-X3", "Oryon", None)
    assert [read_design_number(name) for name in names] == [715, 3, 0, 0]


def test_cpus_up_to_1023_and_each_once():
    text = "".join(BLOCK.format(n, "0x41", "0xd03") for n in (1023, 1024, 5, 5))
    assert [core.cpu for core in parse_cpuinfo(text.encode()).cores] == [5, 1023]
    head = b"Hardware\t: Kirin980\n"
    assert parse_cpuinfo(head).hardware == "Kirin980"
    assert parse_cpuinfo(b"Hardware\t: \n").hardware is None
    one = parse_cpuinfo(BLOCK.format(0, "0x41", "0xd03").encode()).cores[0]
    assert (one.implementer, one.part, one.name) == (0x41, 0xD03, "Cortex-A53")
    unnamed = parse_cpuinfo(BLOCK.format(0, "0x4", "0x1").encode()).cores[0]
    assert unnamed.name == "0x04/0x001"


def test_numbers_of_linux_and_util_linux():
    """QCOM_CPU_PART_KRYO_… and HISI_CPU_PART_TSV110 of cputype.h, samsung_part of lscpu-arm.c."""
    qualcomm = {
        0x800: "Kryo-2XX-Gold", 0x801: "Kryo-2XX-Silver", 0x802: "Kryo-3XX-Gold",
        0x803: "Kryo-3XX-Silver", 0x804: "Kryo-4XX-Gold", 0x805: "Kryo-4XX-Silver",
        0x001: "Oryon", 0x06F: "Krait", 0x201: "Kryo-Silver", 0x205: "Kryo-Gold",
        0x211: "Kryo-Silver",
    }  # fmt: skip
    samsung = {0x001: "Exynos-M1", 0x002: "Exynos-M3", 0x003: "Exynos-M4", 0x004: "Exynos-M5"}
    hisilicon = {0xD01: "TaiShan-V110", 0xD40: "Cortex-A76"}
    for implementer, parts in ((0x51, qualcomm), (0x53, samsung), (0x48, hisilicon)):
        found = {part: name for (maker, part), name in CORE_NAMES.items() if maker == implementer}
        assert found == parts


def test_a_part_that_any_earlier_core_tells_is_not_the_readers_own():
    text = "processor\t: 0\n\n" + "".join(BLOCK.format(n, "0x41", "0xd03") for n in (1, 2))
    assert [c.name for c in parse_cpuinfo(text.encode()).cores] == [None, *["Cortex-A53"] * 2]
