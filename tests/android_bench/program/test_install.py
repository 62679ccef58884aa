"""Where a phone's benchmark_model comes from, and what is checked before it is run."""

from __future__ import annotations

import hashlib
import json
import platform
import struct
import sys
from pathlib import Path

import pytest

from android_bench import errors
from android_bench.device.identity import Identity, read_identity
from android_bench.program.abi import check_abi, list_abis, read_elf_abi
from android_bench.program.cache import locate_pin, locate_program
from android_bench.program.install import ON_DEVICE, install

KIRIN = ("arm64-v8a", "armeabi-v7a", "armeabi")


def elf(bits: int, machine: int) -> bytes:
    """The head of an ELF file, by the specification's table 4.1."""
    ident = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    return ident + struct.pack("<HHI", 3, machine, 1) + bytes(40)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def program(path: Path, content: bytes = b"#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


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


class TestOrder:
    @pytest.fixture
    def fetched(self, cache) -> Path:
        path = program(locate_program("arm64-v8a"), b"#!/bin/sh\necho fetched\n")
        pin = {
            "url": "https://a.example/b",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "fetched_at": "2026-01-01",
        }
        locate_pin(path).write_text(json.dumps(pin))
        return path

    @pytest.fixture
    def there(self, phone) -> Path:
        return program(phone.host_path(ON_DEVICE), b"#!/bin/sh\necho there\n")

    @pytest.fixture
    def identity(self, adb):
        return read_identity(adb)

    def test_named_on_the_device_fetched(self, adb, identity, fetched, there, tmp_path):
        named = program(tmp_path / "named", b"#!/bin/sh\necho named\n")
        found = install(adb, identity, named)
        assert (found.origin, adb.check([found.path])) == (str(named), "named\n")
        assert found.sha256 == hashlib.sha256(named.read_bytes()).hexdigest()
        found = install(adb, identity)
        assert (found.path, found.origin) == (ON_DEVICE, "found on the device")
        assert found.sha256 == hashlib.sha256(there.read_bytes()).hexdigest()
        there.unlink()
        found = install(adb, identity)
        assert (found.origin, adb.check([found.path])) == ("https://a.example/b", "fetched\n")

    def test_none(self, adb, identity, cache):
        with pytest.raises(errors.BinaryNotFoundError) as error:
            install(adb, identity)
        assert str(error.value) == (
            "there is no benchmark_model for arm64-v8a: run ghostdeploy doctor"
            " --fetch-benchmark-model, or name one with --benchmark-model"
        )

    def test_one_on_the_device_that_may_not_be_run(self, adb, identity, there, fetched):
        there.chmod(0o644)
        assert install(adb, identity).origin == "https://a.example/b"

    @pytest.mark.parametrize("pin", [None, "{}", "[]", "no JSON", '{"sha256": "0"}'])
    def test_a_fetched_one_that_was_changed(self, adb, identity, fetched, pin):
        if pin is None:
            locate_pin(fetched).unlink()
        else:
            locate_pin(fetched).write_text(pin)
        with pytest.raises(errors.OptionError, match="is not the file that was fetched"):
            install(adb, identity)
