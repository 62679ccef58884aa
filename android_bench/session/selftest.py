"""Check that a benchmark_model runs on this phone, and that we understand what it prints.

A model of one operator, y = relu(x + c), is measured, and computes what is known beforehand. It is
large enough for the program's clock, which ticks in microseconds.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.adb.text import DEVICE_ROOT
from android_bench.errors import ParseError, SelfTestError, UnconsumedFlagsError
from android_bench.log.parse import parse_log
from android_bench.program.command_line import BenchmarkOptions, InputFile, build_command_line
from android_bench.program.install import Program
from android_bench.session.phone_session import PhoneSession

MODEL = Path(__file__).with_name("selftest.tflite")
INPUT = "x"
SIZE, C = 65_536, 0.25
X = tuple((n % 97 - 48) / 16 for n in range(SIZE))  # exact in float32, and so is the sum
RUNS, TIMEOUT_S = 3, 60.0


@dataclass(frozen=True)
class SelfTest:
    """A program passed; ``writes_outputs``: it knows --output_filepath and wrote what is right."""

    writes_outputs: bool


def check_program(phone: PhoneSession, program: Program) -> SelfTest:
    """Measure a small model with the program. Raises SelfTestError with the reason, AdbErrors."""
    model = phone.push(MODEL)
    try:
        output = run_with_inputs(phone, program, model, {INPUT: ((SIZE,), pack_floats(X))})
    except UnconsumedFlagsError:
        _measure(phone, program, model, BenchmarkOptions(runs=RUNS))
        return SelfTest(writes_outputs=False)
    except ParseError as error:
        raise _failed(phone, program, str(error)) from None
    if output != pack_floats([max(0.0, x + C) for x in X]):
        raise _failed(phone, program, "it computes something else than relu(x + c)")
    return SelfTest(writes_outputs=True)


def pack_floats(values: Sequence[float]) -> bytes:
    """Pack values as float32, little-endian."""
    return struct.pack(f"<{len(values)}f", *values)


def run_with_inputs(
    phone: PhoneSession,
    program: Program,
    model: str,
    inputs: dict[str, tuple[tuple[int, ...], bytes]],
    *,
    use_xnnpack: bool | None = True,
    fp16: bool = False,
    delegate: str = "",
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """Return the raw outputs that the model on the phone makes of ``inputs``.

    ``inputs`` are raw values in C order, with their shape, by the tensor's name. Several outputs
    come one after the other. Raises ParseError where the program fails, UnconsumedFlagsError if it
    is too old to be given inputs or asked for outputs, and AdbErrors.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, (name, (shape, data)) in enumerate(inputs.items()):
            local = Path(folder, f"input{number}.bin")
            local.write_bytes(data)
            files.append(InputFile(name, shape, phone.push_input(local)))
        remote = f"{DEVICE_ROOT}/outputs.bin"
        options = BenchmarkOptions(
            runs=RUNS,
            use_xnnpack=use_xnnpack,
            fp16=fp16,
            delegate=delegate,
            inputs=tuple(files),
            output_path=remote,
        )
        try:
            _measure(phone, program, model, options, timeout_s)
            local = Path(folder, "outputs.bin")
            phone.adb.pull(remote, local)
            return local.read_bytes()
        finally:
            phone.adb.shell(["rm", "-f", remote, *(file.path for file in files)])


def _measure(
    phone: PhoneSession,
    program: Program,
    model: str,
    options: BenchmarkOptions,
    timeout_s: float = TIMEOUT_S,
) -> None:
    argv = build_command_line(program.path, model, options)
    done = phone.launch("check", argv, timeout_s)
    if done.returncode is None:
        raise _failed(phone, program, "; ".join(done.why_not))
    log = parse_log(done.stdout, done.stderr, done.returncode)
    if log.summary is None or log.summary.count != options.runs:
        count = log.summary.count if log.summary else 0
        raise _failed(phone, program, f"it ran {count} times where {options.runs} were asked for")


def _failed(phone: PhoneSession, program: Program, why: str) -> SelfTestError:
    return SelfTestError(
        f"{program.path} ({program.origin}) fails its self-test on {phone.adb.serial}: {why}",
        serial=phone.adb.serial,
    )
