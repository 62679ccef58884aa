"""The cores that can be emulated, and how they tell the guest what they are."""

from __future__ import annotations

import difflib
from pathlib import Path

from ghostdeploy.errors import UsageError

# qemu's name -> implementer and part number of MIDR_EL1 (Arm's and Fujitsu's manuals). XNNPACK
# picks its kernels by them, and reads them from /proc/cpuinfo. qemu's "max" is left out: no
# phone has its SVE and SME kernels.
CORES: dict[str, tuple[int, int]] = {
    "cortex-a35": (0x41, 0xD04),
    "cortex-a53": (0x41, 0xD03),
    "cortex-a57": (0x41, 0xD07),
    "cortex-a72": (0x41, 0xD08),
    "cortex-a76": (0x41, 0xD0B),
    "neoverse-n1": (0x41, 0xD0C),
    "a64fx": (0x46, 0x001),
}
HALF_PRECISION = ("cortex-a76", "neoverse-n1", "a64fx")  # ARMv8.2's FEAT_FP16


def check_core(name: str) -> str:
    """Return ``name``. Raises UsageError, with the nearest names, for one that is not emulated."""
    if name in CORES:
        return name
    near = difflib.get_close_matches(name.lower(), CORES, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CORES)}"
    raise UsageError(f"no emulated core is called {name!r}; {hint}")


def write_system_files(root: Path, core: str) -> None:
    """Write ``/proc/cpuinfo`` and ``/sys`` of a machine with one such core, for the guest.

    Without them the guest would read this machine's, which is of another architecture.
    """
    implementer, part = CORES[core]
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text(
        "processor\t: 0\n"
        f"CPU implementer\t: {implementer:#04x}\n"
        "CPU architecture: 8\n"
        "CPU variant\t: 0x0\n"
        f"CPU part\t: {part:#05x}\n"
        "CPU revision\t: 0\n"
    )
    cpus = root / "sys/devices/system/cpu"
    cpus.mkdir(parents=True)
    for name in ("possible", "present", "online", "kernel_max"):
        (cpus / name).write_text("0\n")
