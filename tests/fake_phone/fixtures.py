"""Fixtures for tests with test phones: an adb server of one's own, phones that must end clean."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from android_bench.adb.client import AdbClient, find_adb
from android_bench.adb.phone import Adb
from android_bench.adb.text import DEVICE_ROOT
from ghostdeploy.fake_phone import PHONES, Phone, write_standin

SERVER_VARIABLES = ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "GHOSTDEPLOY_ADB", "ADB_VENDOR_KEYS")
PATIENCE_S = 60.0
ENDING_S = 10.0


@dataclass(frozen=True)
class AdbServer:
    """A private adb server: its port, its folder for keys and logs."""

    program: str
    port: int
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ANDROID_ADB_SERVER_PORT": str(self.port),
            "ADB_USB": "0",
            "ADB_MDNS": "0",
            "ADB_EMU": "0",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
        }

    def run(self, *arguments: str) -> None:
        subprocess.run(
            [self.program, *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        self.run("kill-server")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def adb_session() -> Iterator[AdbServer]:
    # not pytest's folder: adb's log is still written to when pytest removes old ones
    folder = Path(tempfile.mkdtemp(prefix="adb-"))
    server = AdbServer(find_adb(), free_port(), folder)
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def adb_server(adb_session, monkeypatch) -> AdbServer:
    """The private server, which every adb that this test starts will use."""
    for name, value in adb_session.environment.items():
        monkeypatch.setenv(name, value)
    for name in SERVER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return adb_session


MakePhone = Callable[..., Phone]


class PhonePool:
    """Phones that run from test to test, since each boot costs; a dirty one is not used again."""

    def __init__(self) -> None:
        self._idle: dict[object, Phone] = {}

    def take(self, name: str, isolated: bool | None) -> Phone:
        idle = self._idle.pop((name, isolated), None)
        return idle or Phone(PHONES[name], isolated=isolated).start()

    def give_back(self, phone: Phone, isolated: bool | None) -> None:
        other = self._idle.setdefault((phone.spec.name, isolated), phone)
        if other is not phone:
            phone.stop()

    def stop(self) -> None:
        for phone in self._idle.values():
            phone.stop()


@pytest.fixture(scope="session")
def phone_pool() -> Iterator[PhonePool]:
    pool = PhonePool()
    yield pool
    pool.stop()


@pytest.fixture
def make_phone(adb_server, phone_pool) -> Iterator[MakePhone]:
    """Give phones that are not connected yet; at the end each must be clean."""
    phones: list[tuple[Phone, bool | None]] = []

    def make(name: str = "kirin980", isolated: bool | None = None, auth: str = "open") -> Phone:
        phone = phone_pool.take(name, isolated)
        phones.append((phone, isolated))
        phone.adbd.auth = auth
        return phone

    yield make
    states = [remains(phone) for phone, _ in phones]
    for (phone, isolated), state in zip(phones, states, strict=True):
        adb_server.run("disconnect", phone.serial)
        if state == ([], []):
            phone.factory_reset()
            phone_pool.give_back(phone, isolated)
        else:
            phone.stop()
    assert states == [([], [])] * len(phones), "left on the phone"


def remains(phone: Phone) -> tuple[list[tuple[int, str]], list[str]]:
    """What is left; a command that was cut off may take a moment to end by itself."""
    deadline = time.monotonic() + ENDING_S
    while (found := (phone.processes(), leftovers(phone))) != ([], []):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return found


def leftovers(phone: Phone) -> list[str]:
    """What is ours on the phone and should not outlive us: locks, runs, scripts, partial files."""
    names = phone.files(DEVICE_ROOT) if phone.host_path(DEVICE_ROOT).exists() else []
    return [
        name
        for name in names
        if name.startswith(("lock", "runs/", "scripts/")) or re.search(r"\.tmp\.[0-9a-f]+$", name)
    ]


def sleeping(seconds: int) -> str:
    """What matches the command line of ``env sleep`` or ``setsid sleep``, not a shell's.

    On a phone these need not be programs of their own: mksh has a ``sleep``, toybox is all three.
    """
    return rf"^((setsid|env) )*sleep {seconds}$"


def process_on(phone: Phone, pattern: str) -> int:
    """The number of the process whose command line matches; waits until it has started."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for pid, found in phone.processes():
            if re.search(pattern, found):
                return pid
        time.sleep(0.02)
    raise AssertionError(f"no process {pattern!r} among {phone.processes()}")


@pytest.fixture
def phone(make_phone) -> Phone:
    return make_phone()


@pytest.fixture(params=("kirin980", "bare"))
def any_phone(request, make_phone) -> Phone:
    """One whose adbd has shell_v2, and one of old."""
    return make_phone(request.param)


def attach(phone: Phone, patience_s: float = PATIENCE_S) -> Adb:
    """Connect adb to a phone. A test that expects no comeback gives little patience."""
    adb = Adb(phone.serial, AdbClient(), patience_s)
    adb.wait_online(PATIENCE_S)
    return adb


@pytest.fixture
def adb(phone) -> Adb:
    return attach(phone)


@pytest.fixture
def standin_program(tmp_path) -> Path:
    """The stand-in for benchmark_model, as a program that phones here can execute."""
    return write_standin(tmp_path / "benchmark_model")


def replace_in_program(program: Path, *replacements: tuple[str, str]) -> None:
    """Replace pieces of the source of a stand-in, which is a zip file behind a first line."""
    first_line = program.read_bytes().split(b"\n", 1)[0] + b"\n"
    with zipfile.ZipFile(program) as archive:
        sources = {name: archive.read(name).decode() for name in archive.namelist()}
    for old, new in replacements:
        assert any(old in source for source in sources.values()), old
        sources = {name: source.replace(old, new) for name, source in sources.items()}
    with program.open("wb") as file:
        file.write(first_line)
        with zipfile.ZipFile(file, "w") as archive:
            for name, source in sources.items():
                archive.writestr(name, source)
