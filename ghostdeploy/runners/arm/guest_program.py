"""What an ELF file tells of itself: whether it is for 64-bit Arm Linux, and which build it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from android_bench.program.abi import read_elf_abi
from ghostdeploy.errors import UsageError

GUEST_ABI = "arm64-v8a"
LOADER = "/lib/ld-linux-aarch64.so.1"  # of glibc; Android's is /system/bin/linker64
MAX_SEGMENT = 1 << 16  # bytes; those that are read here are a few hundred
# Of the ELF format, 64 bits: where the file header tells of the segments, and what one's says.
_TABLE, _TABLE_AT = struct.Struct("<Q14xHH"), 32
_SEGMENT = struct.Struct("<IIQQQQQQ")
_INTERPRETER, _NOTE = 3, 4
_BUILD_ID = 3  # NT_GNU_BUILD_ID


@dataclass(frozen=True)
class GuestProgram:
    """A program that the emulated core runs.

    ``loader`` is "" for a static program, ``build_id`` "" where the linker wrote none.
    """

    loader: str
    build_id: str


def read_guest_program(path: Path) -> GuestProgram:
    """Read the program's loader and build ID from its file.

    Raises UsageError for what is no program of 64-bit Arm Linux with glibc, or static.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    abi = read_elf_abi(data[:20])
    if abi != GUEST_ABI:
        what = f"is for {abi}" if abi else "is no program (ELF) that is known here"
        raise UsageError(f"{path} {what}; take the build for Linux on aarch64")
    try:
        found = _read(data)
    except (struct.error, ValueError) as error:
        raise UsageError(f"{path} is a damaged program; fetch it again") from error
    if found.loader not in ("", LOADER):
        raise UsageError(
            f"{path} is for another system (its loader is {found.loader[:80]!r}); take the build"
            " for Linux on aarch64"
        )
    return found


def _read(data: bytes) -> GuestProgram:
    loader, build_id = "", ""
    for kind, content in _segments(data):
        if kind == _INTERPRETER:
            loader = content.split(b"\0")[0].decode("ascii")
        elif kind == _NOTE:
            build_id = build_id or _build_id(content)
    return GuestProgram(loader, build_id)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    start, size, count = _TABLE.unpack_from(data, _TABLE_AT)
    for number in range(count):
        kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack_from(data, start + number * size)
        if kind in (_INTERPRETER, _NOTE):
            if length > MAX_SEGMENT or offset + length > len(data):
                raise ValueError("a segment lies outside of the file")
            yield kind, data[offset : offset + length]


def _build_id(notes: bytes) -> str:
    position = 0
    while position + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, position)
        name = position + 12
        content = name + (name_size + 3) // 4 * 4
        if kind == _BUILD_ID and notes[name : name + 4] == b"GNU\0":
            return notes[content : content + size].hex()
        position = content + (size + 3) // 4 * 4
    return ""
