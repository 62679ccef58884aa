"""Which benchmark_model runs on a phone: found, checked for the processor, put in place."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.adb.phone import Adb
from android_bench.adb.text import DEVICE_ROOT, quote_word
from android_bench.device.identity import Identity
from android_bench.errors import (
    BinaryNotFoundError,
    OptionError,
    WrongArchitectureError,
)

NAME = "benchmark_model"
ON_DEVICE = f"/data/local/tmp/{NAME}"  # where TFLite's own instructions put it
FETCH = "ghostdeploy doctor --fetch-benchmark-model"
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


@dataclass(frozen=True)
class Program:
    """A benchmark_model on the phone. ``origin`` says how it came there, for the record."""

    path: str
    sha256: str
    origin: str


def abis_of(identity: Identity) -> tuple[str, ...]:
    """The ABIs that a device runs, best first; from the kernel where it is no Android."""
    if identity.abis:
        return identity.abis
    known = _OF_MACHINE.get(identity.machine or "")
    return (known,) if known else ()


def cache_folder() -> Path:
    """Where fetched programs are kept: ``$XDG_CACHE_HOME/ghostdeploy/benchmark_model``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "ghostdeploy", NAME)


def cached(abi: str) -> Path:
    """The file that a fetch for this ABI makes."""
    return cache_folder() / abi / NAME


def pin_of(program: Path) -> Path:
    """The file beside a fetched program that says where it is from and what it must be."""
    return program.with_name(f"{NAME}.json")


def install(adb: Adb, identity: Identity, explicit: Path | None = None) -> Program:
    """Have a program that fits on the phone: ``explicit``, one that is there, or a fetched one.

    Raises BinaryNotFoundError if there is none of them, WrongArchitectureError for one of another
    processor, OptionError for a fetched one that is not what was fetched, and AdbErrors.
    """
    abis = abis_of(identity)
    if explicit:
        check_abi(explicit, abis)
        return _pushed(adb, explicit, str(explicit))
    there = _on_device(adb)
    if there:
        return there
    for abi in abis:
        if cached(abi).is_file():
            _check_pin(cached(abi))
            return _pushed(adb, cached(abi), _pin(cached(abi)).get("url", "fetched"))
    known = f" for {abis[0]}" if abis else ""
    raise BinaryNotFoundError(
        f"there is no benchmark_model{known}: run {FETCH}, or name one with --benchmark-model"
    )


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
    found = abi_of_elf(head)
    if found is None:
        raise WrongArchitectureError(f"{program} is no program that a phone could run")
    wanted = {_ELF[abi] for abi in abis if abi in _ELF}
    if wanted and _ELF[found] not in wanted:
        raise WrongArchitectureError(
            f"{program} is for {found}, the device runs {', '.join(abis)}; take a build for it"
        )


def abi_of_elf(head: bytes) -> str | None:
    """The ABI of an ELF file's first 20 bytes (class at 4, order at 5, machine at 18)."""
    if len(head) < _HEAD_BYTES or head[:4] != b"\x7fELF" or head[5] != 1:
        return None
    kind = (head[4], int.from_bytes(head[18:20], "little"))
    return next((abi for abi, elf in _ELF.items() if elf == kind), None)


def _pushed(adb: Adb, program: Path, origin: str) -> Program:
    digest = file_sha256(program)
    remote = f"{DEVICE_ROOT}/bin/{NAME}-{digest[:16]}"
    adb.push(program, remote, mode=0o755)
    return Program(remote, digest, origin)


def _on_device(adb: Adb) -> Program | None:
    path = quote_word(ON_DEVICE)
    said = adb.shell(f"[ -f {path} ] && [ -x {path} ] && sha256sum <{path}").text
    digest = re.match(r"([0-9a-f]{64})\b", said)
    return Program(ON_DEVICE, digest[1], "found on the device") if digest else None


def _check_pin(program: Path) -> None:
    wanted = _pin(program).get("sha256", "")
    if file_sha256(program) != wanted:
        raise OptionError(
            f"{program} is not the file that was fetched: its SHA-256 differs; remove its folder"
            f" and run {FETCH}"
        )


def _pin(program: Path) -> dict[str, str]:
    try:
        found = json.loads(pin_of(program).read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def file_sha256(path: Path) -> str:
    """Of a local file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
