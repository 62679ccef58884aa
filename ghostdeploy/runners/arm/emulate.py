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
from ghostdeploy.runners.arm.core_models import write_system_files
from ghostdeploy.runners.arm.counter_log import Count, Mark, parse_counts
from ghostdeploy.runners.arm.emulator_folder import Place
from ghostdeploy.runners.arm.operator_split import Reported, parse_operators
from ghostdeploy.runners.host.child_process import Finished, run_process

INFERENCES = 3
WARM_UPS = 2  # run_model.c's, which are reported but not marked
NOT_A_MODEL = 3  # run_model.c's exit code
MODEL = "model.tflite"
COUNTS = "counts.txt"
RANDOM = "1"  # what the guest's random numbers start from


@dataclass(frozen=True)
class Emulated:
    """What one process left: an inference's count, and the output tensors' raw values.

    ``marks`` are those within the last inference, and ``reported`` the operators of all of them.
    """

    argv: tuple[str, ...]
    finished: Finished
    count: Count
    peak_mem_bytes: int
    outputs: bytes | None
    marks: tuple[Mark, ...] = ()
    reported: tuple[Reported, ...] = ()


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


def qemu_command(
    place: Place, core: str, program: Path, *arguments: str, foreign: bool = False
) -> tuple[str, ...]:
    """Run ``program`` as ``core`` in a ``workplace``, counted.

    A ``foreign`` one, not run_model, also finds libraries beside it.
    """
    libraries = f"{place.litert}:{program.parent}" if foreign else str(place.litert)
    return (
        str(place.qemu),
        *("-cpu", core, "-L", "root", "-seed", RANDOM, "-plugin", str(place.plugin)),
        *("-E", f"LD_LIBRARY_PATH={libraries}", *(("-U", "LD_PRELOAD") if foreign else ())),
        str(program),
        *arguments,
    )


def emulator_environment(place: Place, *, foreign: bool = False) -> dict[str, str]:
    """A ``foreign`` program gets its clock from the emulator; run_model has its own."""
    clock = {"LD_PRELOAD": str(place.clock)} if foreign else {}
    return {**os.environ, "LD_LIBRARY_PATH": str(place.emulator_libraries), **clock}


def emulate(
    place: Place, core: str, folder: Path, kernels: str, timeout_s: float, *, profile: bool = False
) -> Emulated:
    """Run the model of a ``workplace``. ``kernels`` is builtin, xnnpack or fp16.

    With ``profile`` the count is not the model's alone, but its marks tell the operators apart.
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
    log = parse_counts((folder / COUNTS).read_text())
    counts = log.counts()
    if len(counts) != INFERENCES:
        raise MeasurementError(f"{len(counts)} inferences were counted, not {INFERENCES}")
    if len(set(counts)) != 1 and not profile:  # the profile's own writing differs a little
        totals = ", ".join(str(count.total) for count in counts)
        raise MeasurementError(f"its inferences do not count alike: {totals} instructions")
    return Emulated(
        argv=argv,
        finished=finished,
        count=counts[-1],
        peak_mem_bytes=log.peak_mem_bytes,
        outputs=(folder / "outputs.bin").read_bytes(),
        marks=log.inferences[-1],
        reported=parse_operators((folder / "operators.txt").read_text(errors="replace")),
    )


def last_words(finished: Finished) -> str:
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    return (lines or ["it said nothing"])[-1][:300]
