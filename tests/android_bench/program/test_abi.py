"""Which programs a device can execute: by ELF headers, real and made up."""

from __future__ import annotations

import platform
import struct
import sys

import pytest

from android_bench import errors
from android_bench.device.identity import Identity
from android_bench.program.abi import check_abi, list_abis, read_elf_abi
from tests.android_bench.program.test_install import program

KIRIN = ("arm64-v8a", "armeabi-v7a", "armeabi")


def elf(bits: int, machine: int) -> bytes:
    """The head of an ELF file, by the specification's table 4.1."""
    ident = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    return ident + struct.pack("<HHI", 3, machine, 1) + bytes(40)


@pytest.mark.parametrize(
    ("head", "abi"),
    [
        (elf(2, 183), "arm64-v8a"), (elf(1, 40), "armeabi-v7a"), (elf(2, 62), "x86_64"),
        (elf(1, 3), "x86"), (elf(2, 8), None), (elf(2, 183)[:19], None), (b"", None),
        (b"MZ" + bytes(40), None), (b"<html>" + bytes(40), None),
    ],
)  # fmt: skip
def test_the_abi_of_a_program(head, abi):
    assert read_elf_abi(head[:20]) == abi


@pytest.mark.skipif(platform.machine() != "x86_64", reason="of this machine's own Python")
def test_the_abi_of_a_real_program():
    with open(sys.executable, "rb") as file:
        assert read_elf_abi(file.read(20)) == "x86_64"


def test_a_device_that_is_no_android_goes_by_its_kernel():
    assert list_abis(Identity(machine="aarch64")) == ("arm64-v8a",)
    assert list_abis(Identity(machine="armv7l", abis=("x",))) == ("x",)
    assert list_abis(Identity()) == ()


def test_a_program_for_another_processor(tmp_path):
    x86 = program(tmp_path / "p", elf(2, 62))
    with pytest.raises(errors.WrongArchitectureError, match="is for x86_64, the device runs arm64"):
        check_abi(x86, KIRIN)
    check_abi(x86, ("x86_64",))
    check_abi(x86, ())  # nothing is known of the device: its self-test will tell
    check_abi(program(tmp_path / "old", elf(1, 40)), KIRIN)
    check_abi(program(tmp_path / "script"), KIRIN)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_no_program_at_all(tmp_path, content):
    with pytest.raises(errors.WrongArchitectureError, match="is no program that a phone could run"):
        check_abi(program(tmp_path / "p", content), KIRIN)


def test_an_absent_program(tmp_path):
    with pytest.raises(errors.BinaryNotFoundError, match="No such file"):
        check_abi(tmp_path / "p", KIRIN)
    with pytest.raises(errors.BinaryNotFoundError, match="Is a directory"):
        check_abi(tmp_path, KIRIN)
