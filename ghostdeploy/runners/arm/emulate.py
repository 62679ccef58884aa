"""One process of the emulator: a model is run a few times and its instructions are counted."""

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
from ghostdeploy.runners.arm.counter_log import InstructionsByClass, Mark, parse_counter_log
from ghostdeploy.runners.arm.emulator_folder import EmulatorFolder
from ghostdeploy.runners.arm.operator_split import ReportedOperator, parse_operators
from ghostdeploy.runners.host.child_process import FinishedProcess, run_process

INFERENCES = 3
WARM_UPS = 2  # run_model.c's, which are reported but not marked
NOT_A_MODEL = 3  # run_model.c's exit code
MODEL = "model.tflite"
COUNTER_LOG = "counts.txt"
RANDOM = "1"  # what the guest's random numbers start from


@dataclass(frozen=True)
class EmulatedRun:
    """One process of the emulator: an inference's instructions and the outputs' raw values.

    ``marks`` are those within the last inference, and ``reported`` the operators of all of them.
    """

    argv: tuple[str, ...]
    finished: FinishedProcess
    instructions: InstructionsByClass
    peak_mem_bytes: int
    outputs: bytes | None
    marks: tuple[Mark, ...] = ()
    reported: tuple[ReportedOperator, ...] = ()


@contextmanager
def make_workplace(emulator: EmulatorFolder, core: str, model: Path) -> Iterator[Path]:
    """Yield a folder to run in: the model, and the guest's root with one ``core`` in it."""
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-arm-") as name:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        for part in ("lib", "usr"):
            (root / part).symlink_to(emulator.guest / part)
        write_system_files(root, core)
        shutil.copyfile(model, folder / MODEL)
        yield folder


def build_qemu_command(
    emulator: EmulatorFolder, core: str, program: Path, *arguments: str, foreign: bool = False
) -> tuple[str, ...]:
    """Return the command that runs ``program`` on ``core``, counted, in a folder made for it.

    A ``foreign`` program, not run_model, also finds libraries beside it.
    """
    libraries = f"{emulator.litert}:{program.parent}" if foreign else str(emulator.litert)
    return (
        str(emulator.qemu),
        *("-cpu", core, "-L", "root", "-seed", RANDOM, "-plugin", str(emulator.plugin)),
        *("-E", f"LD_LIBRARY_PATH={libraries}", *(("-U", "LD_PRELOAD") if foreign else ())),
        str(program),
        *arguments,
    )


def build_environment(emulator: EmulatorFolder, *, foreign: bool = False) -> dict[str, str]:
    """Return the emulator's environment.

    A ``foreign`` program gets its clock from the emulator; run_model has its own.
    """
    clock = {"LD_PRELOAD": str(emulator.clock)} if foreign else {}
    return {**os.environ, "LD_LIBRARY_PATH": str(emulator.emulator_libraries), **clock}


def emulate(
    emulator: EmulatorFolder,
    core: str,
    folder: Path,
    kernels: str,
    timeout_s: float,
    *,
    profile: bool = False,
) -> EmulatedRun:
    """Run the model in a ``folder`` of make_workplace. ``kernels`` is builtin, xnnpack or fp16.

    With ``profile`` not only the model's own instructions are counted, but the marks tell the
    operators apart.
    Raises InputFileError for a model that the runtime does not take, MeasurementError for
    anything else that went wrong.
    """
    words = (MODEL, str(INFERENCES), kernels, *(("profile",) if profile else ()))
    argv = build_qemu_command(emulator, core, emulator.run_model, *words)
    finished = run_process(argv, timeout_s, build_environment(emulator), cwd=folder)
    _check_ended(finished, timeout_s)
    log = parse_counter_log((folder / COUNTER_LOG).read_text())
    instructions = log.instructions()
    if len(instructions) != INFERENCES:
        raise MeasurementError(f"{len(instructions)} inferences were counted, not {INFERENCES}")
    if len(set(instructions)) != 1 and not profile:  # the profile's own writing differs a little
        totals = ", ".join(str(each.total) for each in instructions)
        raise MeasurementError(f"its inferences do not count alike: {totals} instructions")
    return EmulatedRun(
        argv=argv,
        finished=finished,
        instructions=instructions[-1],
        peak_mem_bytes=log.peak_mem_bytes,
        outputs=(folder / "outputs.bin").read_bytes(),
        marks=log.inferences[-1],
        reported=parse_operators((folder / "operators.txt").read_text(errors="replace")),
    )


def _check_ended(finished: FinishedProcess, timeout_s: float) -> None:
    if finished.timed_out:
        raise MeasurementError(
            f"the emulated run did not finish in {timeout_s:g} s: raise --timeout"
        )
    if finished.returncode == NOT_A_MODEL:
        raise InputFileError(f"LiteRT for aarch64 cannot run it: {finished.last_words}")
    if finished.returncode != 0:
        ended = finished.killed_by or f"code {finished.returncode}"
        raise MeasurementError(f"the emulated run ended with {ended}: {finished.last_words}")
