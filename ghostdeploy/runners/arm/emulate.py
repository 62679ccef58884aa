"""One process of the emulator: a model, run a few times and counted."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.errors import InputFileError, MeasurementError
from ghostdeploy.runners.arm.cores import write_system_files
from ghostdeploy.runners.arm.counts import Log, parse_counts
from ghostdeploy.runners.arm.operators import Reported, parse_operators
from ghostdeploy.runners.arm.place import Place
from ghostdeploy.runners.process import Finished, run_process

INFERENCES = 3
WARM_UPS = 2  # run_model.c's, which are reported but not marked
NOT_A_MODEL = 3  # run_model.c's exit code
MODEL = "model.tflite"


@dataclass(frozen=True)
class Emulated:
    """What one process left: its counts, and its tensors' raw values."""

    argv: tuple[str, ...]
    finished: Finished
    log: Log
    reported: tuple[Reported, ...]
    outputs: bytes


@contextmanager
def workplace(place: Place, core: str, model: Path) -> Iterator[Path]:
    """A folder to run in: the model, and the guest's root with one ``core`` in it."""
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-arm-") as name:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        for part in ("lib", "usr"):
            (root / part).symlink_to(place.guest / part)
        write_system_files(root, core)
        shutil.copyfile(model, folder / MODEL)
        yield folder


def qemu_command(place: Place, core: str, program: Path, *arguments: str) -> tuple[str, ...]:
    """Run ``program`` as ``core`` in a ``workplace``, counted."""
    return (
        str(place.qemu),
        *("-cpu", core, "-L", "root", "-plugin", str(place.plugin)),
        *("-E", f"LD_LIBRARY_PATH={place.litert}"),
        str(program),
        *arguments,
    )


def emulator_environment(place: Place) -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(place.emulator_libraries)}


def emulate(
    place: Place, core: str, folder: Path, kernels: str, timeout_s: float, *, profile: bool = False
) -> Emulated:
    """Run the model of a ``workplace``. ``kernels`` is builtin, xnnpack or fp16.

    Raises InputFileError for a model that the runtime does not take, MeasurementError for
    anything else that went wrong.
    """
    words = (MODEL, str(INFERENCES), kernels, *(("profile",) if profile else ()))
    argv = qemu_command(place, core, place.run_model, *words)
    finished = run_process(argv, timeout_s, emulator_environment(place), cwd=folder)
    if finished.timed_out:
        raise MeasurementError(
            f"the emulated run did not finish in {timeout_s:g} s: raise --timeout"
        )
    if finished.returncode == NOT_A_MODEL:
        raise InputFileError(f"LiteRT for aarch64 cannot run it: {last_words(finished)}")
    if finished.returncode != 0:
        ended = finished.killed_by or f"code {finished.returncode}"
        raise MeasurementError(f"the emulated run ended with {ended}: {last_words(finished)}")
    log = parse_counts((folder / "counts.txt").read_text())
    if len(log.inferences) != INFERENCES:
        raise MeasurementError(f"{len(log.inferences)} inferences were counted, not {INFERENCES}")
    return Emulated(
        argv=argv,
        finished=finished,
        log=log,
        reported=parse_operators((folder / "operators.txt").read_text(errors="replace")),
        outputs=(folder / "outputs.bin").read_bytes(),
    )


def last_words(finished: Finished) -> str:
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    return (lines or ["it said nothing"])[-1][:300]
