"""Making the emulator, by the machine's own apt-get, pip and C compiler; no root is needed.

apt-get works on lists and a status of its own in a temporary folder, so that nothing of the system
changes: neither its architectures nor its packages.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.runners.arm import pins
from ghostdeploy.runners.arm.emulator_folder import EmulatorFolder, locate_emulator

TIMEOUT_S = 900.0
# program -> the Debian package that has it
PROGRAMS = {"apt-get": "apt", "dpkg": "dpkg", "cc": "gcc and libc6-dev"}
STEPS = 5
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def list_missing_programs() -> list[str]:
    """Return what the setup needs and this machine has not, one line each; [] for nothing."""
    found = [
        f"{program} (Debian package {package})"
        for program, package in PROGRAMS.items()
        if shutil.which(program) is None
    ]
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        found.append(f"Linux on x86-64 (this is {platform.system()} on {platform.machine()})")
    return found


def set_up(progress: Progress = ignore_progress) -> tuple[EmulatorFolder, bool]:
    """Return the emulator, made if need be, and whether it had to be made.

    Raises UsageError listing what this machine lacks, and MeasurementError where a package cannot
    be fetched or is not the pinned one. Nothing half-made is left.
    """
    ready = locate_emulator()
    if ready.complete:
        return ready, False
    if missing := list_missing_programs():
        raise UsageError(f"the emulated Arm core needs {', '.join(missing)}")
    try:
        ready.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ready.folder.parent, prefix="making-") as name:
            made = EmulatorFolder(Path(name) / "setup")
            made.folder.mkdir()
            _make(made, Path(name), progress)
            _put(made.folder, ready)
    except OSError as error:
        raise UsageError(f"cannot write {ready.folder}: {error.strerror or error}") from error
    return ready, True


def _make(made: EmulatorFolder, work: Path, progress: Progress) -> None:
    progress(0, STEPS, "reading the package lists")
    apt = _private_apt(work)
    _run([*apt, "update"], work, "apt-get update")
    progress(1, STEPS, "fetching Debian packages")
    archives = _fetch_packages(apt, work)
    progress(2, STEPS, "fetching LiteRT for aarch64")
    wheel = _fetch_litert(work)
    progress(3, STEPS, "unpacking")
    for package, archive in archives.items():
        _run(["dpkg", "-x", str(archive), str(work / package.part)], work, "dpkg -x")
    _assemble(made, work, wheel)
    progress(4, STEPS, "compiling")
    _compile(made, work)


def _private_apt(work: Path) -> list[str]:
    """Return apt-get with the system's sources that writes everything in ``work``."""
    for folder in ("apt/lists/partial", "apt/cache/archives/partial", "downloads"):
        (work / folder).mkdir(parents=True)
    (work / "apt/status").touch()
    options = {
        "Dir::State": work / "apt",
        "Dir::State::status": work / "apt/status",
        "Dir::Cache": work / "apt/cache",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "",  # or, run as root, it may not write in our folder
        "Acquire::Languages": "none",
    }
    words = [f"{key}={value}" for key, value in options.items()]
    words += ["APT::Architectures::=amd64", "APT::Architectures::=arm64"]
    return ["apt-get", "--quiet=2", *(part for word in words for part in ("-o", word))]


def _fetch_packages(apt: Sequence[str], work: Path) -> dict[pins.Package, Path]:
    downloads = work / "downloads"
    wanted = pins.read_packages()
    _run([*apt, "download", *(p.request for p in wanted)], downloads, "apt-get download")
    by_digest = {file_sha256(file): file for file in downloads.glob("*.deb")}
    wrong = [p.request for p in wanted if p.sha256 not in by_digest]
    if wrong:
        raise MeasurementError(f"not the pinned package: {', '.join(wrong)} (its SHA-256 differs)")
    return {p: by_digest[p.sha256] for p in wanted}


def _fetch_litert(work: Path) -> Path:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    argv += ["--no-deps", "--only-binary=:all:", "--python-version", "3.11"]
    argv += ["--implementation", "cp", "--platform", "manylinux_2_27_aarch64"]
    argv += ["--dest", str(work), f"ai-edge-litert=={pins.LITERT_VERSION}"]
    _run(argv, work, "pip download")
    (wheel,) = work.glob("*.whl")
    if file_sha256(wheel) != pins.LITERT_SHA256:
        raise MeasurementError(f"not the pinned package: {wheel.name} (its SHA-256 differs)")
    return wheel


def _assemble(made: EmulatorFolder, work: Path, wheel: Path) -> None:
    """Move what a run needs: the cross compiler and the other emulators stay behind."""
    shutil.move(work / "emulator/usr/bin/qemu-aarch64", made.qemu)
    shutil.move(work / "emulator" / LIBRARIES, made.emulator_libraries)
    made.guest.mkdir()
    for folder in ("lib", "usr"):
        shutil.move(work / "guest" / folder, made.guest / folder)
    shutil.rmtree(made.guest / "usr/share", ignore_errors=True)
    made.litert.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        made.library.write_bytes(archive.read("ai_edge_litert/libLiteRt.so"))


def _compile(made: EmulatorFolder, work: Path) -> None:
    for name in pins.EMULATOR_PARTS:
        output = str(made.folder / f"{name}.so")
        _run(["cc", *pins.EMULATOR_FLAGS, str(pins.NATIVE / f"{name}.c"), "-o", output], work, "cc")
    compiler = work / "compiler"
    gcc = [str(compiler / "usr/bin/aarch64-linux-gnu-gcc-12"), f"--sysroot={compiler}"]
    libraries = {"LD_LIBRARY_PATH": f"{compiler / LIBRARIES}:{made.emulator_libraries}"}
    for name in pins.GUEST_PROGRAMS:
        files = [str(pins.NATIVE / f"{name}.c"), "-o", str(made.folder / name)]
        argv = [*gcc, *files, f"-L{made.litert}", "-lLiteRt", *pins.GUEST_FLAGS]
        _run(argv, work, "aarch64-linux-gnu-gcc", libraries)


def _put(made: Path, ready: EmulatorFolder) -> None:
    """Give the finished setup its name; another process may have been faster."""
    if ready.folder.exists() and not ready.complete:
        shutil.rmtree(ready.folder)
    try:
        made.rename(ready.folder)
    except OSError:
        if not ready.complete:
            raise


def _run(
    argv: Sequence[str], folder: Path, what: str, environment: dict[str, str] | None = None
) -> None:
    """Run a program in ``folder``. Raises MeasurementError with its last words."""
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{what} did not finish in {TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith(("E:", "ERROR"))] or said[-1:]
        raise MeasurementError(f"{what} failed: {'; '.join(errors)[:600] or done.returncode}")
