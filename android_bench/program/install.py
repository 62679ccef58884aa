"""Find the benchmark_model for a phone, check it for the processor, and put it in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from android_bench.adb.digest import file_sha256
from android_bench.adb.phone import Adb
from android_bench.adb.text import DEVICE_ROOT, quote_word
from android_bench.device.identity import Identity
from android_bench.errors import BinaryNotFoundError
from android_bench.program.abi import check_abi, list_abis
from android_bench.program.cache import FETCH, NAME, check_pin, locate_program, read_pin

ON_DEVICE = f"/data/local/tmp/{NAME}"  # where TFLite's own instructions put it


@dataclass(frozen=True)
class Program:
    """A benchmark_model is on the phone; ``origin`` says how it came there, for the record."""

    path: str
    sha256: str
    origin: str


def install(adb: Adb, identity: Identity, explicit: Path | None = None) -> Program:
    """Have a program that fits on the phone: ``explicit``, one that is there, or a fetched one.

    Raises BinaryNotFoundError if there is none of them, WrongArchitectureError for one of another
    processor, OptionError for a fetched one that is not what was fetched, and AdbErrors.
    """
    abis = list_abis(identity)
    if explicit:
        check_abi(explicit, abis)
        return _pushed(adb, explicit, str(explicit))
    there = _on_device(adb)
    if there:
        return there
    for abi in abis:
        if locate_program(abi).is_file():
            check_pin(locate_program(abi))
            return _pushed(
                adb, locate_program(abi), read_pin(locate_program(abi)).get("url", "fetched")
            )
    known = f" for {abis[0]}" if abis else ""
    raise BinaryNotFoundError(
        f"there is no benchmark_model{known}: run {FETCH}, or name one with --benchmark-model"
    )


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
