"""Which programs the emulator takes: headers written after the ELF format, and a real one."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.runners.arm.guest_program import read_guest_program

GLIBC = b"/lib/ld-linux-aarch64.so.1\0"
NOTE = struct.pack("<III", 4, 4, 3) + b"GNU\0" + bytes.fromhex("c0ffee00")
OTHER_NOTE = struct.pack("<III", 4, 5, 1) + b"GNU\0" + bytes(8)


def elf(*segments: tuple[int, bytes], bits: int = 2, machine: int = 0xB7) -> bytes:
    ident = b"\x7fELF" + bytes((bits, 1, 1)) + bytes(9)
    start = 64 + 56 * len(segments)
    head = ident + struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0
    )
    table = b""
    for kind, content in segments:
        table += struct.pack("<IIQQQQQQ", kind, 4, start, 0, 0, len(content), len(content), 8)
        start += len(content)
    return head + table + b"".join(content for _, content in segments)


def told(tmp_path: Path, data: bytes):
    path = tmp_path / "program"
    path.write_bytes(data)
    return read_guest_program(path)


def test_dynamic_and_static_programs(tmp_path):
    found = told(tmp_path, elf((1, b"code"), (3, GLIBC), (4, OTHER_NOTE + NOTE)))
    assert (found.loader, found.build_id) == ("/lib/ld-linux-aarch64.so.1", "c0ffee00")
    found = told(tmp_path, elf((1, b"code"), (4, OTHER_NOTE)))
    assert (found.loader, found.build_id) == ("", "")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no program"),
        (b"#!/bin/sh\n" + bytes(64), "no program"),
        (elf(bits=1, machine=0x28), "for armeabi-v7a"),
        (elf(machine=0x3E), "for x86_64"),
        (elf((3, b"/system/bin/linker64\0")), "another system.*/system/bin/linker64"),
        (elf((3, GLIBC))[:90], "damaged"),
        (elf((3, GLIBC))[:-5], "damaged"),
        (elf((3, b"\xff\0")), "damaged"),
    ],
)
def test_others_are_refused_in_a_line(tmp_path, data, says):
    with pytest.raises(UsageError, match=rf"^[^\n]*{says}[^\n]*$"):
        told(tmp_path, data)


def test_this_machines_own_program_is_for_another_processor():
    with pytest.raises(UsageError, match="is for x86_64; take the build for Linux on aarch64"):
        read_guest_program(Path(sys.executable).resolve())
