"""The flags of benchmark_model: parsed, explained and reported as the program of LiteRT does."""

from __future__ import annotations

import dataclasses
from collections.abc import Set
from dataclasses import dataclass, fields
from typing import Any

from ghostdeploy.fake_phone.benchmark_model.console import BenchmarkFailed, say

MAX_SECS = 150.0


@dataclass(frozen=True)
class Flags:
    """Every flag with its default, in the order of the program's ``--help``."""

    num_runs: int = 50
    min_secs: float = 1.0
    max_secs: float = MAX_SECS
    num_threads: int = -1
    warmup_runs: int = 1
    warmup_min_secs: float = 0.5
    verbose: bool = False
    dry_run: bool = False
    report_peak_memory_footprint: bool = False
    graph: str = ""
    require_full_delegation: bool = False
    enable_op_profiling: bool = False
    use_xnnpack: bool | None = None
    xnnpack_force_fp16: bool = False
    input_layer: str = ""
    input_layer_shape: str = ""
    input_layer_value_files: str = ""
    output_filepath: str = ""
    help: bool = False


# What the program calls a flag when it reports the flag's value; it reports no others.
_TITLES_BEFORE_GRAPH = {
    "num_runs": "Min num runs",
    "min_secs": "Min runs duration (seconds)",
    "max_secs": "Max runs duration (seconds)",
    "num_threads": "Num threads",
    "warmup_runs": "Min warmup runs",
    "warmup_min_secs": "Min warmup runs duration (seconds)",
    "dry_run": "Run w/o invoking kernels",
    "report_peak_memory_footprint": "Report the peak memory footprint",
}
_TITLES_OF_THE_RUN = {
    "require_full_delegation": "Require full delegation",
    "enable_op_profiling": "Enable op profiling",
}
_TITLES_OF_THE_DELEGATE = {
    "use_xnnpack": "Use xnnpack",
    "xnnpack_force_fp16": "xnnpack_force_fp16",
}

_TYPES = {field.name: str(field.type).removesuffix(" | None") for field in fields(Flags)}
_TYPE_NAMES = {"int": "int32", "float": "float", "bool": "bool", "str": "string"}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def parse_flags(argv: list[str]) -> tuple[Flags, frozenset[str]]:
    """Return the flags and the names of those that ``argv`` gives.

    Raises BenchmarkFailed for a value of the wrong type, for ``--help``, and without ``--graph``.
    """
    values: dict[str, Any] = {}
    unknown = []
    for argument in argv:
        name, equals, text = argument.removeprefix("--").partition("=")
        if argument == "--help":
            name, equals, text = "help", "=", "true"
        if argument.startswith("--") and equals and name in _TYPES:
            values[name] = _parse_value(name, text, argument)
        else:
            unknown.append(argument)
    flags = Flags(**values)
    if flags.help:
        raise BenchmarkFailed(_explain_usage())
    if unknown:
        print(f"WARN: Unconsumed cmdline flags: {' '.join(unknown)}", flush=True)
    if not flags.graph:
        raise BenchmarkFailed(
            "Please specify the name of your TF Lite input file with --graph",
            "Benchmarking failed.",
        )
    return flags, frozenset(values)


def _parse_value(name: str, text: str, argument: str) -> int | float | bool | str:
    try:
        if _TYPES[name] == "bool":
            return _BOOLS[text]
        if _TYPES[name] == "int":
            return int(text)
        return float(text) if _TYPES[name] == "float" else text
    except (KeyError, ValueError):
        wrong = f"Failed to parse flag '{name}' against argv '{argument}'"
        raise BenchmarkFailed(wrong, wrong, _explain_usage()) from None


def _explain_usage() -> str:
    lines = ["usage: benchmark_model <flags>", "Flags:"]
    lines += [
        f"\t--{name}=\t{_TYPE_NAMES[kind]}\toptional\t{name}" for name, kind in _TYPES.items()
    ]
    return "\n".join(lines)


def log_parameters(flags: Flags, given: Set[str]) -> None:
    """Report the flags that were ``given``, or with ``--verbose`` all, in the program's order."""
    say(f"Log parameter values verbosely: [{flags.verbose:d}]")
    wanted = frozenset(_TYPES) if flags.verbose else given
    _log_values(flags, wanted, _TITLES_BEFORE_GRAPH)
    say(f"Graph: [{flags.graph}]")
    say("Signature to run: []")
    _log_values(flags, wanted, _TITLES_OF_THE_RUN)
    if "num_threads" in wanted:
        say(f"#threads used for CPU inference: [{flags.num_threads}]")
    _log_values(flags, wanted, _TITLES_OF_THE_DELEGATE)


def _log_values(flags: Flags, wanted: Set[str], titles: dict[str, str]) -> None:
    values = dataclasses.asdict(flags)
    for name, title in titles.items():
        if name in wanted:
            say(f"{title}: [{values[name] or 0:g}]")
