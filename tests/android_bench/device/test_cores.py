"""What the CPU cores are, by /proc/cpuinfo of several ages."""

from __future__ import annotations

from android_bench.device.cores import CORE_NAMES, Core, classify_core, parse_cpuinfo


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
    x86 = b"processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n"
    assert parse_cpuinfo(x86).cores == (Core(0, name="Some CPU @ 2.00GHz"),)
    assert parse_cpuinfo(b"processor\t: 99999999999\n").cores == ()
