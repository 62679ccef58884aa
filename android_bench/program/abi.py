"""Tell which programs a device can execute, by the ABIs of devices and of ELF files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from android_bench.device.identity import Identity
from android_bench.errors import BinaryNotFoundError, WrongArchitectureError

_HEAD_BYTES = 20
# the ABI's name → ELF's class (1: 32 bits, 2: 64 bits) and machine
_ELF = {
    "arm64-v8a": (2, 0xB7),
    "armeabi-v7a": (1, 0x28),
    "armeabi": (1, 0x28),
    "x86_64": (2, 0x3E),
    "x86": (1, 0x03),
    "riscv64": (2, 0xF3),
}
_OF_MACHINE = {
    "aarch64": "arm64-v8a",
    "armv8l": "armeabi-v7a",
    "armv7l": "armeabi-v7a",
    "x86_64": "x86_64",
    "i686": "x86",
    "riscv64": "riscv64",
}


def list_abis(identity: Identity) -> tuple[str, ...]:
    """Return the ABIs that a device runs, best first; from the kernel where it is no Android."""
    if identity.abis:
        return identity.abis
    known = _OF_MACHINE.get(identity.machine or "")
    return (known,) if known else ()


def check_abi(program: Path, abis: Sequence[str]) -> None:
    """Raise WrongArchitectureError if an ELF program is for none of ``abis``; () knows none.

    A script is left to the self-test. Raises BinaryNotFoundError for a file that cannot be read.
    """
    try:
        with program.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise BinaryNotFoundError(f"{program}: {error.strerror or error}") from None
    if head.startswith(b"#!"):
        return
    found = read_elf_abi(head)
    if found is None:
        raise WrongArchitectureError(f"{program} is no program that a phone could run")
    wanted = {_ELF[abi] for abi in abis if abi in _ELF}
    if wanted and _ELF[found] not in wanted:
        raise WrongArchitectureError(
            f"{program} is for {found}, the device runs {', '.join(abis)}; take a build for it"
        )


def read_elf_abi(head: bytes) -> str | None:
    """Return the ABI of an ELF file's first 20 bytes (class at 4, order at 5, machine at 18)."""
    if len(head) < _HEAD_BYTES or head[:4] != b"\x7fELF" or head[5] != 1:
        return None
    kind = (head[4], int.from_bytes(head[18:20], "little"))
    return next((abi for abi, elf in _ELF.items() if elf == kind), None)
