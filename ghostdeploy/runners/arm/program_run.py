"""TFLite's benchmark_model for 64-bit Arm Linux in the emulator, counted from outside.

It has no marks. Two processes do the same but for the number of regular runs; the difference of
their counts, divided by that of their runs, is one inference with what the program does around it:
two looks at the clock and its statistics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from android_bench.program.command_line import InputFile
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.runners import Tensor
from ghostdeploy.runners.arm.counter_log import CounterLog, parse_counter_log
from ghostdeploy.runners.arm.emulate import (
    COUNTER_LOG,
    MODEL,
    WARM_UPS,
    EmulatedRun,
    build_environment,
    build_qemu_command,
)
from ghostdeploy.runners.arm.emulator_folder import EmulatorFolder
from ghostdeploy.runners.host.child_process import FinishedProcess, run_process
from ghostdeploy.runners.program_io import build_program_argv, parse_program_log
from ghostdeploy.schema import BenchParams

# The program keeps each run's time in a list that grows by doubling: both fit into eight places.
FEWER, MORE = 5, 7
OUTPUT = "program-outputs.bin"
IGNORED_OUTPUT = f"Unconsumed cmdline flags: --output_filepath={OUTPUT}"
LIBRARY = re.compile(r"error while loading shared libraries: ([^:\n]+)")
LIBRARY_VERSION = re.compile(r"version `([^'\n]+)' not found")


@dataclass(frozen=True)
class ProgramRun:
    """A run of ``program`` on one thread of ``core``; ``folder`` is one of make_workplace."""

    emulator: EmulatorFolder
    core: str
    folder: Path
    model: Path
    program: Path
    params: BenchParams

    def count_instructions(self, inputs: Mapping[str, Tensor]) -> EmulatedRun:
        """Count one inference on ``inputs``; outputs are None of a program that cannot write them.

        Raises UsageError for a program of another kind, InputFileError for a model that it does
        not take, and MeasurementError for anything else that went wrong.
        """
        files = self._write(inputs)
        output = OUTPUT
        _, finished = self._process(FEWER, files, output)
        if IGNORED_OUTPUT in finished.stdout:  # builds of 2022
            output = ""
            _, finished = self._process(FEWER, files, output)
        less = self._log(finished, FEWER)
        argv, finished = self._process(MORE, files, output)
        more = self._log(finished, MORE)
        return EmulatedRun(
            argv=argv,
            finished=finished,
            instructions=(more.whole - less.whole) // (MORE - FEWER),
            peak_mem_bytes=more.peak_mem_bytes,
            outputs=self._outputs() if output else None,
        )

    def _write(self, inputs: Mapping[str, Tensor]) -> tuple[InputFile, ...]:
        files = []
        for number, (name, (shape, data)) in enumerate(inputs.items()):
            files.append(InputFile(name, shape, f"input{number}.bin"))
            (self.folder / files[-1].path).write_bytes(data)
        return tuple(files)

    def _process(
        self, runs: int, files: tuple[InputFile, ...], output: str
    ) -> tuple[tuple[str, ...], FinishedProcess]:
        asked = replace(self.params, runs=runs, warmup=WARM_UPS, profile=False)
        program, *flags = build_program_argv(str(self.program), MODEL, asked, files, output)
        argv = build_qemu_command(self.emulator, self.core, Path(program), *flags, foreign=True)
        environment = build_environment(self.emulator, foreign=True)
        finished = run_process(argv, self.params.timeout_s, environment, cwd=self.folder)
        self._check(finished)
        return argv, finished

    def _check(self, finished: FinishedProcess) -> None:
        """Raise where the program did not come so far as to say what is wrong itself."""
        if finished.timed_out:
            raise MeasurementError(
                f"{self.program} did not finish in {self.params.timeout_s:g} s: raise --timeout"
            )
        if finished.killed_by:
            raise MeasurementError(
                f"{self.program} ended with {finished.killed_by}: {finished.last_words}"
            )
        if found := LIBRARY.search(finished.stderr):
            raise UsageError(
                f"{self.program} needs {found[1]}, which is neither beside it nor in the emulated"
                " system; take a static build, or put the library there"
            )
        if found := LIBRARY_VERSION.search(finished.stderr):
            raise UsageError(
                f"{self.program} needs {found[1]}, newer than the emulated system's; take an older"
                " or a static build"
            )

    def _log(self, finished: FinishedProcess, runs: int) -> CounterLog:
        """Return what was counted of a process that did as it was told."""
        stdout, stderr = finished.stdout.encode(), finished.stderr.encode()
        said = parse_program_log(self.model, stdout, stderr, finished.returncode)
        done = said.summary.count if said.summary else 0
        if done != runs:
            raise MeasurementError(f"{self.program} made {done} runs where {runs} were asked for")
        return parse_counter_log((self.folder / COUNTER_LOG).read_text())

    def _outputs(self) -> bytes:
        try:
            return (self.folder / OUTPUT).read_bytes()
        except OSError as error:
            raise MeasurementError(f"{self.program} wrote no outputs") from error
