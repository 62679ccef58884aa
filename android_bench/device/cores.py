"""Tell what the CPU cores are by /proc/cpuinfo and the numbers that name a core's design."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from android_bench.device.values import split_lines

MAX_CPUS = 1024

# (implementer, part) of MIDR_EL1 → design. Sources: [K] Linux arch/arm64/include/asm/cputype.h,
# [U] util-linux sys-utils/lscpu-arm.c, [C] pytorch/cpuinfo src/arm/uarch.c,
# An implementer need not have drawn the core: what 0x48 and 0x51 call their own is often Arm's,
# and the same part number is another core under 0x41. Kryo names are kept, since these are tuned
# versions of Arm's cores.
CORE_NAMES: Mapping[tuple[int, int], str] = {
    # 0x41 Arm
    (0x41, 0xC07): "Cortex-A7",  # U
    (0x41, 0xC09): "Cortex-A9",  # U
    (0x41, 0xC0F): "Cortex-A15",  # U
    (0x41, 0xC0E): "Cortex-A17",  # U
    (0x41, 0xD01): "Cortex-A32",  # U
    (0x41, 0xD03): "Cortex-A53",  # K
    (0x41, 0xD04): "Cortex-A35",  # K
    (0x41, 0xD05): "Cortex-A55",  # K
    (0x41, 0xD07): "Cortex-A57",  # K
    (0x41, 0xD08): "Cortex-A72",  # K
    (0x41, 0xD09): "Cortex-A73",  # K
    (0x41, 0xD0A): "Cortex-A75",  # K
    (0x41, 0xD0B): "Cortex-A76",  # K
    (0x41, 0xD0C): "Neoverse-N1",  # K
    (0x41, 0xD0D): "Cortex-A77",  # K
    (0x41, 0xD0E): "Cortex-A76AE",  # K
    (0x41, 0xD40): "Neoverse-V1",  # K
    (0x41, 0xD41): "Cortex-A78",  # K
    (0x41, 0xD42): "Cortex-A78AE",  # K
    (0x41, 0xD44): "Cortex-X1",  # K
    (0x41, 0xD46): "Cortex-A510",  # K
    (0x41, 0xD47): "Cortex-A710",  # K
    (0x41, 0xD48): "Cortex-X2",  # K
    (0x41, 0xD49): "Neoverse-N2",  # K
    (0x41, 0xD4B): "Cortex-A78C",  # K
    (0x41, 0xD4C): "Cortex-X1C",  # K
    (0x41, 0xD4D): "Cortex-A715",  # K
    (0x41, 0xD4E): "Cortex-X3",  # K
    (0x41, 0xD4F): "Neoverse-V2",  # K
    (0x41, 0xD80): "Cortex-A520",  # K
    (0x41, 0xD81): "Cortex-A720",  # K
    (0x41, 0xD82): "Cortex-X4",  # K
    (0x41, 0xD84): "Neoverse-V3",  # K
    (0x41, 0xD85): "Cortex-X925",  # K
    (0x41, 0xD87): "Cortex-A725",  # K
    (0x41, 0xD89): "Cortex-A720AE",  # K
    (0x41, 0xD8C): "C1-Ultra",  # K
    (0x41, 0xD90): "C1-Premium",  # K
    # 0x48 HiSilicon
    (0x48, 0xD01): "TaiShan-V110",  # K (TSV110), U (Kunpeng-920)
    (0x48, 0xD40): "Cortex-A76",  # U: Kirin 980 and 990 number their A76 so
    # 0x51 Qualcomm
    (0x51, 0x001): "Oryon",  # K
    (0x51, 0x06F): "Krait",  # U
    (0x51, 0x201): "Kryo-Silver",  # C: Snapdragon 821
    (0x51, 0x205): "Kryo-Gold",  # C: Snapdragon 820, 821
    (0x51, 0x211): "Kryo-Silver",  # C: Snapdragon 820
    (0x51, 0x800): "Kryo-2XX-Gold",  # K; C: of Cortex-A73
    (0x51, 0x801): "Kryo-2XX-Silver",  # K; C: of Cortex-A53
    (0x51, 0x802): "Kryo-3XX-Gold",  # K; C: of Cortex-A75
    (0x51, 0x803): "Kryo-3XX-Silver",  # K; C: of Cortex-A55
    (0x51, 0x804): "Kryo-4XX-Gold",  # K: of Cortex-A76
    (0x51, 0x805): "Kryo-4XX-Silver",  # K: of Cortex-A55
    # 0x53 Samsung
    (0x53, 0x001): "Exynos-M1",  # U: M1, and M2 under another variant
    (0x53, 0x002): "Exynos-M3",  # U
    (0x53, 0x003): "Exynos-M4",  # U
    (0x53, 0x004): "Exynos-M5",  # U
}

_LITTLE = re.compile(r"Cortex-A(7|3[0-9]|53|55|5[12]0)|Kryo-.*Silver")
_PRIME = re.compile(r"Cortex-X[0-9]+C?|C1-Ultra")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,4}")


@dataclass(frozen=True)
class Core:
    """A core is one CPU in /proc/cpuinfo; ``name`` is its design, None where that is not told.

    An Arm core that the table does not hold is named by its numbers, ``0x41/0xfff``.
    """

    cpu: int
    implementer: int | None = None
    part: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class CpuInfo:
    """/proc/cpuinfo tells the CPUs that were online, and on old Arm kernels the machine's name."""

    cores: tuple[Core, ...] = ()
    hardware: str | None = None


def classify_core(name: str | None) -> int | None:
    """Return 0 for a core made to save power, 2 for Cortex-X and such, else 1; None: unknown."""
    if name is None or name.startswith("0x"):
        return None
    if _LITTLE.fullmatch(name):
        return 0
    return 2 if _PRIME.fullmatch(name) else 1


def read_design_number(name: str | None) -> int:
    """Return the number in a design's name, 715 of ``Cortex-A715``; 0 for none.

    Of two designs with one clock, that of the higher number is the faster.
    """
    found = re.search(r"[0-9]{1,4}", name or "")
    return int(found[0]) if found else 0


def parse_cpuinfo(data: bytes) -> CpuInfo:
    """Read /proc/cpuinfo of Arm and x86 Linux. CPUs that are offline are not in it.

    Kernels before 4.x print the part once, at the end: that of whichever core ran the reader. It
    is believed only if there is one CPU.
    """
    blocks: list[tuple[int, dict[str, str]]] = []
    hardware = None
    for line in split_lines(data):
        key, _, value = (word.strip() for word in line.partition(":"))
        cpu = _cpu_number(value) if key == "processor" else None
        if cpu is not None:
            blocks.append((cpu, {}))
        elif key == "Hardware":
            hardware = value or None
        elif blocks:
            blocks[-1][1].setdefault(key, value)
    if len(blocks) > 1 and not any("CPU part" in fields for _, fields in blocks[:-1]):
        blocks[-1][1].pop("CPU part", None)
    cores = {cpu: _core(cpu, fields) for cpu, fields in blocks}
    return CpuInfo(tuple(cores[cpu] for cpu in sorted(cores)), hardware)


def _cpu_number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) and int(text) < MAX_CPUS else None


def _core(cpu: int, fields: Mapping[str, str]) -> Core:
    codes = [fields.get(key, "") for key in ("CPU implementer", "CPU part")]
    if not all(map(_HEX.fullmatch, codes)):
        return Core(cpu, name=fields.get("model name") or None)  # x86
    implementer, part = (int(code, 16) for code in codes)
    unnamed = f"0x{implementer:02x}/0x{part:03x}"
    return Core(cpu, implementer, part, CORE_NAMES.get((implementer, part), unnamed))
