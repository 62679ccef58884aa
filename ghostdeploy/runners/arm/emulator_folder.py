"""Where the emulator lies on this machine, and what is in its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.errors import UsageError
from ghostdeploy.runners.arm.pins import compute_setup_key

SETUP_COMMAND = "ghostdeploy doctor --setup-qemu"


@dataclass(frozen=True)
class EmulatorFolder:
    """A finished setup in ``folder``; it appears there whole or not at all."""

    folder: Path

    @property
    def qemu(self) -> Path:
        """The emulator of one aarch64 program."""
        return self.folder / "qemu-aarch64"

    @property
    def emulator_libraries(self) -> Path:
        """The folder of the libraries that the emulator itself needs."""
        return self.folder / "lib"

    @property
    def guest(self) -> Path:
        """The folder of the emulated system's /lib and /usr."""
        return self.folder / "guest"

    @property
    def litert(self) -> Path:
        """The folder of LiteRT's aarch64 library."""
        return self.folder / "litert"

    @property
    def library(self) -> Path:
        """LiteRT's aarch64 library."""
        return self.litert / "libLiteRt.so"

    @property
    def plugin(self) -> Path:
        """The plugin that counts the instructions."""
        return self.folder / "count.so"

    @property
    def clock(self) -> Path:
        """The library to load into the emulator where a program's own clock would show."""
        return self.folder / "clock.so"

    @property
    def run_model(self) -> Path:
        """The program for aarch64 that runs a model between marks."""
        return self.folder / "run_model"

    @property
    def standin(self) -> Path:
        """A stand-in for benchmark_model, for tests."""
        return self.folder / "benchmark_model"

    @property
    def complete(self) -> bool:
        """Whether every file of the setup is there."""
        made = (self.qemu, self.library, self.plugin, self.clock, self.run_model, self.standin)
        return all(path.exists() for path in made)


def locate_cache() -> Path:
    """Return ``$XDG_CACHE_HOME/ghostdeploy/arm``; ``~/.cache`` where that is not set."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "ghostdeploy" / "arm"


def locate_emulator() -> EmulatorFolder:
    """Return where the setup of this version of ghostdeploy is, or will be."""
    return EmulatorFolder(locate_cache() / compute_setup_key())


def require_emulator() -> EmulatorFolder:
    """Return the finished setup. Raises UsageError where there is none, with what makes it."""
    found = locate_emulator()
    if not found.complete:
        raise UsageError(f"the emulated Arm core is not set up here; run: {SETUP_COMMAND}")
    return found
