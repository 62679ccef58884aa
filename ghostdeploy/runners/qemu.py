"""An emulated 64-bit Arm core as a device, ``qemu:CORE``: it counts instructions, tells no time."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.runners import Access, RuntimeEvidence, Tensor
from ghostdeploy.runners.agreement import choose_tolerance, measure_agreement
from ghostdeploy.runners.arm import pins
from ghostdeploy.runners.arm.core_models import HALF_PRECISION, check_core
from ghostdeploy.runners.arm.emulate import (
    INFERENCES,
    WARM_UPS,
    EmulatedRun,
    emulate,
    make_workplace,
)
from ghostdeploy.runners.arm.emulator_folder import require_emulator
from ghostdeploy.runners.arm.guest_program import read_guest_program
from ghostdeploy.runners.arm.operator_split import read_planned_operators, split_by_operator
from ghostdeploy.runners.arm.program_run import ProgramRun
from ghostdeploy.runners.host import machine
from ghostdeploy.runners.host.reference import Reference, compute_reference
from ghostdeploy.runners.host.runtimes import check_format, find_benchmark_program, find_evidence
from ghostdeploy.runners.model_file import check_model_file
from ghostdeploy.schema import (
    BenchParams,
    DeviceIdentity,
    DeviceState,
    Instructions,
    Launch,
    OpInstructions,
)

DEFAULT_CORE = "cortex-a76"
RUNTIMES = ("litert", "benchmark_model")


class QemuRunner:
    """The device ``qemu:CORE``: LiteRT's aarch64 library on one emulated core, in one thread.

    A launch is one process of a few inferences, which must all count the same, to the
    instruction; ``params.profile`` adds a second process for the operators. With
    ``params.benchmark_model`` it is two processes of that program instead, and no operators. The
    outputs are compared with those of the same kernels on this machine.
    """

    writes_outputs = False  # ``launch`` has compared them

    def __init__(self, target: str, params: BenchParams, access: Access = Access()) -> None:
        self.core = check_core(target or DEFAULT_CORE)
        _check(params, self.core)
        self.emulator = require_emulator()
        self.runtime(params)

    def identity(self) -> DeviceIdentity:
        """Return what the emulated core is."""
        return DeviceIdentity(
            scheme="qemu",
            serial=self.core,
            model=f"emulated {self.core}",
            soc=self.core,
            arch="aarch64",
            os=f"qemu-user on {platform.system()}",
            cores=1,
            fingerprint=pins.compute_setup_key(),
        )

    def state(self) -> DeviceState:
        """Return the state that this machine is in now; an emulated core has none."""
        return machine.read_machine_state()

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        """Return what runs the models; a program tells nothing but the linker's build ID.

        Raises UsageError where there is no program.
        """
        if params.runtime == "litert":
            return RuntimeEvidence("litert", pins.LITERT_VERSION, pins.LITERT_SHA256)
        known = read_guest_program(find_benchmark_program(params)).build_id
        return replace(find_evidence(params), version=f"build {known}" if known else "")

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """Count one inference in a process of its own, as Runner.launch does."""
        _check(params, self.core)
        check_format(model_path, params.runtime)
        check_model_file(model_path)
        started = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        try:
            with make_workplace(self.emulator, self.core, model_path) as folder:
                run, here = self._run(folder, model_path, params)
                operators = self._operators(folder, model_path, params)
            instructions = replace(_instructions(run, here), operators=operators)
        except (InputFileError, MeasurementError) as error:
            raise type(error)(_naming(model_path, error)) from error
        limit = choose_tolerance(quantized=here.quantized, half=params.fp16)
        return _launch(run, started, instructions, limit)

    def _run(
        self, folder: Path, model_path: Path, params: BenchParams
    ) -> tuple[EmulatedRun, Reference]:
        """Run an inference on the emulated core and on this machine, on the same inputs."""
        if params.runtime == "litert":
            run = emulate(
                self.emulator, self.core, folder, choose_kernels(params), params.timeout_s
            )
            given = folder / "inputs.bin"
            return run, compute_reference(model_path, xnnpack=params.xnnpack, given=given)
        here = compute_reference(model_path, xnnpack=params.xnnpack, input_range=params.input_range)
        program = find_benchmark_program(params).absolute()
        there = ProgramRun(self.emulator, self.core, folder, model_path, program, params)
        return there.count_instructions(here.inputs), here

    def _operators(
        self, folder: Path, model_path: Path, params: BenchParams
    ) -> tuple[OpInstructions, ...]:
        if not params.profile or params.runtime != "litert":
            return ()
        run = emulate(
            self.emulator, self.core, folder, choose_kernels(params), params.timeout_s, profile=True
        )
        each = len(run.reported) // (WARM_UPS + INFERENCES)
        planned = read_planned_operators(model_path)
        return split_by_operator(run.marks, run.reported[-each:], planned)

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """Raise UsageError: ``launch`` compares the outputs."""
        raise UsageError("a qemu: device compares its outputs in every launch")

    def warnings(self) -> tuple[str, ...]:
        """Return nothing: an emulated core is the same everywhere."""
        return ()

    def close(self) -> None:
        """Do nothing: no process outlives its launch."""


def choose_kernels(params: BenchParams) -> str:
    """Return the kernels that ``params`` ask for, by run_model.c's name."""
    if not params.xnnpack:
        return "builtin"
    return "fp16" if params.fp16 else "xnnpack"


def _check(params: BenchParams, core: str) -> None:
    if params.runtime not in RUNTIMES:
        raise UsageError(f"qemu: devices run litert or benchmark_model, not {params.runtime}")
    if params.input_range and params.runtime == "litert":
        raise UsageError("--input-range needs TFLite's own program here: --benchmark-model PATH")
    if params.delegate:
        raise UsageError(f"an emulated core has no {params.delegate}; leave --delegate out")
    if params.plus_flags and params.runtime == "litert":
        raise UsageError("--plus-flags needs TFLite's own program: --benchmark-model PATH")
    if params.input_shapes:
        raise UsageError("an emulated core takes models of one shape; leave --input-shape out")
    if params.threads != 1:
        raise UsageError(f"an emulated core counts one thread exactly, not {params.threads}")
    if params.cpus:
        raise UsageError("an emulated core is not pinned; leave --cpus out")
    if params.fp16 and core not in HALF_PRECISION:
        raise UsageError(
            f"{core} has no half-precision arithmetic; {', '.join(HALF_PRECISION)} have"
        )


def _instructions(run: EmulatedRun, here: Reference) -> Instructions:
    """Return the instructions of one inference, with how far its outputs are from ``here``'s."""
    found = None if run.outputs is None else measure_agreement(run.outputs, here.outputs)
    return Instructions(
        multiply_accumulate=run.instructions.multiply_accumulate,
        load=run.instructions.load,
        store=run.instructions.store,
        other=run.instructions.other,
        max_abs=found.max_abs if found else None,
        rel_l2=found.rel_l2 if found else None,
    )


def _naming(model_path: Path, error: Exception) -> str:
    """Return the message, with the model's path in front where it is not there yet."""
    text = str(error)
    return text if text.startswith(f"{model_path}: ") else f"{model_path}: {text}"


def _launch(
    run: EmulatedRun,
    started: str,
    instructions: Instructions,
    limit: float,
) -> Launch:
    rel_l2 = instructions.rel_l2 or 0.0
    differs = rel_l2 > limit
    return Launch(
        round=0,
        position=0,
        started_at=started,
        argv=run.argv,
        summary=None,
        instructions=instructions,
        peak_mem_mb=run.peak_mem_bytes / 1e6,
        valid=not differs,
        why_not=_why(rel_l2, limit) if differs else "",
        returncode=run.finished.returncode,
        stdout=run.finished.stdout,
        stderr=run.finished.stderr,
    )


def _why(rel_l2: float, limit: float) -> str:
    return (
        f"its outputs differ from this machine's by a relative L2 of {rel_l2:.1e}, allowed"
        f" {limit:.0e}"
    )
