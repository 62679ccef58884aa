"""The versions that the emulator is made of, each pinned by the SHA-256 of its file."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES_FILE = HERE / "packages.csv"
NATIVE = HERE / "native"
EMULATOR_PARTS = ("count", "clock")  # shared libraries for this machine
GUEST_PROGRAMS = ("run_model", "benchmark_model")

LITERT_VERSION = "2.1.0"
LITERT_SHA256 = "92b24d2507fccf5680c26e712c156266dcf64a892df3921dd42f4a7d26527462"

# Compilers' arguments; {…} is filled in when they are run.
EMULATOR_FLAGS = ("-shared", "-fPIC", "-O2", "-fvisibility=hidden")
GUEST_FLAGS = ("-O2", "-Wl,--allow-shlib-undefined")


@dataclass(frozen=True)
class Package:
    """A Debian 12 package.

    ``part`` is emulator (qemu and the libraries it needs, for this machine), guest (arm64
    libraries that LiteRT needs) or compiler (the cross compiler, used once).
    """

    part: str
    package: str
    architecture: str
    version: str
    sha256: str

    @property
    def request(self) -> str:
        """The package and version as apt-get download takes them."""
        name = self.package if self.architecture == "all" else f"{self.package}:{self.architecture}"
        return f"{name}={self.version}"


@cache
def read_packages() -> tuple[Package, ...]:
    """Return the rows of packages.csv."""
    with PACKAGES_FILE.open(newline="", encoding="utf-8") as file:
        return tuple(Package(**row) for row in csv.DictReader(file))


@cache
def compute_setup_key() -> str:
    """Return 16 hexadecimal digits that stand for everything that could change a count."""
    digest = hashlib.sha256(f"{LITERT_SHA256} {EMULATOR_FLAGS} {GUEST_FLAGS}".encode())
    for file in (PACKAGES_FILE, *sorted(NATIVE.glob("*.[ch]"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
