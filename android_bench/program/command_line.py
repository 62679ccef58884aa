"""Build the command line of TFLite's benchmark_model, of nothing but what the program obeys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from android_bench.errors import OptionError
from android_bench.log.lines import quote

DELEGATES = {"gpu": "--use_gpu=true", "nnapi": "--use_nnapi=true"}


@dataclass(frozen=True)
class InputFile:
    """A file holds raw values for one input tensor, in C order and the tensor's own type.

    ``path`` is on the machine that the program runs on; "" has it make up random values, as it
    does without any file.
    """

    name: str
    shape: tuple[int, ...]
    path: str


@dataclass(frozen=True)
class BenchmarkOptions:
    """The options say how benchmark_model shall measure.

    ``min_secs`` and ``warmup_min_secs`` are seconds; the program runs on beyond the counts until
    they have passed, so that only 0 gives exactly ``runs`` and ``warmup_runs``. ``use_xnnpack``
    None leaves the program its default, which applies XNNPACK on its own account and then ignores
    ``fp16``, ``--require_full_delegation`` and the weight cache. ``delegate`` is one of DELEGATES;
    XNNPACK is then left to the program. ``output_path`` is where it shall write the last outputs,
    one after the other; builds of 2022 do not know that. ``plus_flags`` are passed on as they are,
    ``--name=value`` each.

    Raises OptionError for what the program would ignore or misread.
    """

    threads: int = 1
    runs: int = 50
    warmup_runs: int = 1
    min_secs: float = 0.0
    warmup_min_secs: float = 0.0
    use_xnnpack: bool | None = True
    fp16: bool = False
    op_profiling: bool = False
    report_memory: bool = False
    delegate: str = ""
    inputs: tuple[InputFile, ...] = ()
    output_path: str = ""
    plus_flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_numbers(self)
        if self.delegate and self.delegate not in DELEGATES:
            raise OptionError(
                f"no delegate {quote(self.delegate)}; there is {', '.join(DELEGATES)}"
            )
        if self.fp16 and (self.delegate or not self.use_xnnpack):
            raise OptionError("fp16 is XNNPACK's: it needs use_xnnpack=True, else it is ignored")
        names = [flag.split("=")[0] for flag in _own_flags(self)] + ["--graph"]
        for flag in self.plus_flags:
            _check_plus_flag(flag, names)


def _check_numbers(options: BenchmarkOptions) -> None:
    for name, least in (("threads", 1), ("runs", 1), ("warmup_runs", 0)):
        if getattr(options, name) < least:
            raise OptionError(f"{name} must be at least {least}, not {getattr(options, name)}")
    for name in ("min_secs", "warmup_min_secs"):
        value = getattr(options, name)
        if not (math.isfinite(value) and value >= 0):
            raise OptionError(f"{name} must be 0 or more seconds, not {value}")


def _check_plus_flag(flag: str, taken: Sequence[str]) -> None:
    name, equals, _ = flag.partition("=")
    if not (name.startswith("--") and len(name) > 2 and equals) or "\0" in flag or "\n" in flag:
        raise OptionError(f"a flag must be --name=value, else it is ignored, not {quote(flag)}")
    if name in taken:
        raise OptionError(f"{name} has an option of its own; do not pass it as {quote(flag)}")


def build_command_line(binary: str, model: str, options: BenchmarkOptions) -> tuple[str, ...]:
    """Build the argument list: long ``--name=value`` flags, the only form the program obeys.

    Raises OptionError for an empty path or one that no argument can hold.
    """
    for path in (binary, model):
        if not path or "\0" in path:
            raise OptionError(f"{quote(path)} is no path")
    return (binary, f"--graph={model}", *_own_flags(options), *options.plus_flags)


def _own_flags(options: BenchmarkOptions) -> list[str]:
    flags = [
        f"--num_threads={options.threads}",
        f"--num_runs={options.runs}",
        f"--warmup_runs={options.warmup_runs}",
        f"--min_secs={options.min_secs:g}",
        f"--warmup_min_secs={options.warmup_min_secs:g}",
    ]
    if options.delegate:
        flags.append(DELEGATES[options.delegate])
    elif options.use_xnnpack is not None:
        flags.append(f"--use_xnnpack={'true' if options.use_xnnpack else 'false'}")
    wanted = (
        (options.fp16, "--xnnpack_force_fp16=true"),
        (options.op_profiling, "--enable_op_profiling=true"),
        (options.report_memory, "--report_peak_memory_footprint=true"),
    )
    return flags + [flag for on, flag in wanted if on] + _data_flags(options)


def _data_flags(options: BenchmarkOptions) -> list[str]:
    flags = []
    if options.inputs:
        names = ",".join(file.name for file in options.inputs)
        shapes = ":".join(",".join(map(str, file.shape)) for file in options.inputs)
        # here alone a colon within a name must be escaped
        files = ",".join(
            f"{file.name.replace(':', chr(92) + ':')}:{file.path}"
            for file in options.inputs
            if file.path
        )
        flags += [f"--input_layer={names}", f"--input_layer_shape={shapes}"]
        flags += [f"--input_layer_value_files={files}"] if files else []
    if options.output_path:
        flags.append(f"--output_filepath={options.output_path}")
    return flags
