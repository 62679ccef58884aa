#!/usr/bin/env python3
"""A stand-in for TFLite's benchmark_model that runs the model for real, on ai_edge_litert.

It takes the flags in ``_FLAGS`` and prints what the program of LiteRT 2.1.0 prints, in its lines,
streams and exit codes: the parameters that were set, failures of loading, warm-up and regular
runs, timings, memory. It needs a Python that has ai-edge-litert and numpy.

What the Python interface cannot give is not made up: with op profiling the regular runs are one
row, the whole graph; ``--xnnpack_force_fp16`` is reported, but computes in float32.
"""

from __future__ import annotations

import math
import os
import random
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_SECS = 150.0

# flag, type, default, how the program calls it
_FLAGS = (
    ("num_runs", int, 50, "Min num runs"),
    ("min_secs", float, 1.0, "Min runs duration (seconds)"),
    ("max_secs", float, MAX_SECS, "Max runs duration (seconds)"),
    ("num_threads", int, -1, "Num threads"),
    ("warmup_runs", int, 1, "Min warmup runs"),
    ("warmup_min_secs", float, 0.5, "Min warmup runs duration (seconds)"),
    ("verbose", bool, False, None),
    ("dry_run", bool, False, "Run w/o invoking kernels"),
    ("report_peak_memory_footprint", bool, False, "Report the peak memory footprint"),
    ("graph", str, "", None),
    ("require_full_delegation", bool, False, "Require full delegation"),
    ("enable_op_profiling", bool, False, "Enable op profiling"),
    ("use_xnnpack", bool, None, "Use xnnpack"),
    ("xnnpack_force_fp16", bool, False, "xnnpack_force_fp16"),
    ("input_layer", str, "", None),
    ("input_layer_shape", str, "", None),
    ("input_layer_value_files", str, "", None),
    ("output_filepath", str, "", None),
    ("help", bool, False, None),
)
_BEFORE_GRAPH = tuple(name for name, *_ in _FLAGS[:9])
_TYPES = {int: "int32", float: "float", bool: "bool", str: "string"}


class Failed(Exception):
    """Lines for stderr; the program ends with exit code 1."""


@dataclass(frozen=True)
class Loaded:
    interpreter: Any
    init_s: float
    init_mem_mib: float
    delegate_kernels: int
    complete: bool


def say(text: str) -> None:
    print(f"INFO: {text}", flush=True)


def main(argv: list[str]) -> int:
    say("STARTING!")
    try:
        values, given = parse_flags(argv)
        benchmark(values, given)
    except Failed as failure:
        for line in failure.args:
            print(f"ERROR: {line}", file=sys.stderr, flush=True)
        return 1
    return 0


def parse_flags(argv: list[str]) -> tuple[dict[str, Any], set[str]]:
    values = {name: default for name, _, default, _ in _FLAGS}
    types = {name: kind for name, kind, _, _ in _FLAGS}
    given, unknown = set(), []
    for argument in argv:
        name, equals, text = argument.removeprefix("--").partition("=")
        if argument == "--help":
            name, equals, text = "help", "=", "true"
        if not (argument.startswith("--") and equals and name in types):
            unknown.append(argument)
            continue
        values[name] = convert(types[name], name, text, argument)
        given.add(name)
    if values["help"]:
        raise Failed(usage())
    if unknown:
        print(f"WARN: Unconsumed cmdline flags: {' '.join(unknown)}", flush=True)
    if not values["graph"]:
        raise Failed(
            "Please specify the name of your TF Lite input file with --graph",
            "Benchmarking failed.",
        )
    return values, given


def convert(kind: type, name: str, text: str, argument: str) -> Any:
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text]
        return kind(text)
    except (KeyError, ValueError):
        wrong = f"Failed to parse flag '{name}' against argv '{argument}'"
        raise Failed(wrong, wrong, usage()) from None


def usage() -> str:
    lines = ["usage: benchmark_model <flags>", "Flags:"]
    lines += [f"\t--{name}=\t{_TYPES[kind]}\toptional\t{name}" for name, kind, _, _ in _FLAGS]
    return "\n".join(lines)


def benchmark(values: dict[str, Any], given: set[str]) -> None:
    import ai_edge_litert.interpreter  # noqa: F401  its own cost is not the model's

    log_parameters(values, given)
    before_mib = resident_mib()
    loaded = load(values, before_mib)
    size_mb = Path(values["graph"]).stat().st_size / 1e6
    say(f"The input model file size (MB): {size_mb:g}")
    say(f"Initialized session in {loaded.init_s * 1e3:g}ms.")
    if values["dry_run"]:
        values.update(num_runs=0, min_secs=-1.0, warmup_runs=0, warmup_min_secs=-1.0)
    fill_inputs(loaded.interpreter, input_files(values))
    warmup = run(loaded.interpreter, values["warmup_runs"], values["warmup_min_secs"], values)
    runs = run(loaded.interpreter, values["num_runs"], values["min_secs"], values)
    report(loaded, warmup, runs, before_mib)
    if values["output_filepath"]:
        write_outputs(loaded.interpreter, values["output_filepath"])
    if values["report_peak_memory_footprint"]:
        report_peak()
    if values["enable_op_profiling"]:
        report_profile(loaded, runs)


def log_parameters(values: dict[str, Any], given: set[str]) -> None:
    say(f"Log parameter values verbosely: [{values['verbose']:d}]")
    titles = {name: title for name, _, _, title in _FLAGS if title}
    wanted = [name for name in titles if name in given or values["verbose"]]
    for name in wanted:
        if name in _BEFORE_GRAPH:
            say(f"{titles[name]}: [{shown(values[name])}]")
    say(f"Graph: [{values['graph']}]")
    say("Signature to run: []")
    for name in ("require_full_delegation", "enable_op_profiling"):
        if name in wanted:
            say(f"{titles[name]}: [{shown(values[name])}]")
    if "num_threads" in wanted:
        say(f"#threads used for CPU inference: [{values['num_threads']}]")
    for name in ("use_xnnpack", "xnnpack_force_fp16"):
        if name in wanted:
            say(f"{titles[name]}: [{shown(values[name])}]")


def shown(value: object) -> str:
    return f"{value or 0:g}"


def load(values: dict[str, Any], before_mib: float) -> Loaded:
    check_file(values["graph"])
    started = time.monotonic()
    interpreter = make_interpreter(values)
    kernels, complete = delegated(interpreter)
    if values["require_full_delegation"] and not (values["use_xnnpack"] and complete):
        raise Failed("Disallowed CPU fallback detected.", "Benchmarking failed.")
    if values["use_xnnpack"]:
        say_delegation(kernels, complete)
    init_s = round(time.monotonic() - started, 6)
    return Loaded(interpreter, init_s, resident_mib() - before_mib, kernels, complete)


def check_file(graph: str) -> None:
    ending = (f"Failed to load model {graph}", "Benchmarking failed.")
    try:
        head = Path(graph).read_bytes()[:8]
    except OSError:
        raise Failed(
            f"Could not open '{graph}'.", "The model allocation is null/empty", *ending
        ) from None
    if not head:
        raise Failed(
            "Mmap of '3' at offset '0' failed with error '22'.",
            "The model allocation is null/empty",
            *ending,
        )
    if head[4:] != b"TFL3":
        raise Failed("The model is not a valid Flatbuffer buffer", *ending)


def make_interpreter(values: dict[str, Any]) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    graph, threads = values["graph"], values["num_threads"]
    resolver = (
        OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        if values["use_xnnpack"] is False
        else OpResolverType.AUTO
    )
    try:
        interpreter = Interpreter(
            graph,
            num_threads=threads if threads > 0 else None,
            experimental_op_resolver_type=resolver,
        )
    except (ValueError, RuntimeError):
        raise Failed(
            "The model is not a valid Flatbuffer buffer",
            f"Failed to load model {graph}",
            "Benchmarking failed.",
        ) from None
    say(f"Loaded model {graph}")
    if threads < -1:
        raise Failed(
            "num_threads should be >= 0 or just -1 to let TFLite runtime set the value.",
            "Failed to set thread number",
            "Benchmarking failed.",
        )
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise Failed(str(error), "Failed to allocate tensors!", "Benchmarking failed.") from None
    return interpreter


def delegated(interpreter: Any) -> tuple[int, bool]:
    """Count delegate kernels; complete if one of them keeps every intermediate tensor to itself."""
    ops = interpreter._get_ops_details()
    kernels = sum(op["op_name"] == "DELEGATE" for op in ops)
    visible = {detail["index"] for detail in interpreter.get_output_details()}
    inner = {
        int(index) for op in ops if op["op_name"] != "DELEGATE" for index in op["outputs"]
    } - visible
    return kernels, kernels == 1 and not any(has_data(interpreter, index) for index in inner)


def has_data(interpreter: Any, index: int) -> bool:
    try:
        interpreter.get_tensor(index)
    except ValueError:
        return False
    return True


def say_delegation(kernels: int, complete: bool) -> None:
    say("XNNPACK delegate created.")
    if complete:
        how = "will be completely executed by the delegate."
    elif kernels:
        how = f"will be partially executed by the delegate w/ {kernels} delegate kernels."
    else:
        say(
            "Though XNNPACK delegate is explicitly applied, the model graph will not be executed"
            " by the delegate."
        )
        return
    say(f"Explicitly applied XNNPACK delegate, and the model graph {how}")


def input_files(values: dict[str, Any]) -> dict[str, str]:
    """``name:path,name:path`` by name; a colon within a name is escaped."""
    pairs = filter(None, values["input_layer_value_files"].split(","))
    found = (re.fullmatch(r"((?:[^:\\]|\\.)*):(.*)", pair) for pair in pairs)
    return {match[1].replace("\\:", ":"): match[2] for match in found if match}


def fill_inputs(interpreter: Any, files: dict[str, str]) -> None:
    import numpy as np

    generator = np.random.default_rng(random.randrange(2**32))
    for detail in interpreter.get_input_details():
        if detail["name"] in files:
            data = read_input(files[detail["name"]], detail)
        else:
            scale = 1 if np.issubdtype(detail["dtype"], np.floating) else 100
            data = (generator.uniform(0, 1, detail["shape"]) * scale).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], data)


def read_input(path: str, detail: dict[str, Any]) -> Any:
    import numpy as np

    wanted = int(np.prod(detail["shape"])) * np.dtype(detail["dtype"]).itemsize
    try:
        data = Path(path).read_bytes()
    except OSError:
        raise Failed(f"Failed to read the input file {path}", "Benchmarking failed.") from None
    if len(data) != wanted:
        raise Failed(f"{path} holds {len(data)} bytes, not {wanted}", "Benchmarking failed.")
    return np.frombuffer(data, detail["dtype"]).reshape(detail["shape"])


def write_outputs(interpreter: Any, path: str) -> None:
    details = interpreter.get_output_details()
    data = b"".join(interpreter.get_tensor(detail["index"]).tobytes() for detail in details)
    try:
        Path(path).write_bytes(data)
    except OSError:
        print(f"WARN: Failed to write {path}", flush=True)


def run(interpreter: Any, least: int, least_s: float, values: dict[str, Any]) -> list[int]:
    """Invoke until both minima are reached; the durations in whole microseconds."""
    say(
        f"Running benchmark for at least {least} iterations and at least {least_s:g} seconds but"
        f" terminate if exceeding {values['max_secs']:g} seconds."
    )
    samples_us: list[int] = []
    started = now = time.monotonic()
    while (len(samples_us) < least or now < started + least_s) and (
        now <= started + values["max_secs"]
    ):
        begin_ns = time.monotonic_ns()
        interpreter.invoke()
        samples_us.append((time.monotonic_ns() - begin_ns) // 1000)
        now = time.monotonic()
    say(f"{count_line(samples_us)}\n")
    return samples_us


def count_line(samples_us: list[int]) -> str:
    ranked = sorted(samples_us) or [0]
    p5, median, p95 = (ranked[min(len(ranked) - 1, len(ranked) * p // 100)] for p in (5, 50, 95))
    line = f"count={len(samples_us)}"
    if samples_us and ranked[0] == ranked[-1]:
        line += f" curr={samples_us[-1]}" + ("(all same)" if len(samples_us) > 1 else "")
    elif samples_us:
        line += (
            f" first={samples_us[0]} curr={samples_us[-1]} min={ranked[0]} max={ranked[-1]}"
            f" avg={mean(samples_us):.6g} std={int(deviation(samples_us))}"
        )
    return f"{line} p5={p5} median={median} p95={p95}"


def mean(samples_us: list[int]) -> float:
    return sum(samples_us) / len(samples_us) if samples_us else 0.0


def deviation(samples_us: list[int]) -> float:
    average = mean(samples_us)
    return math.sqrt(sum((sample - average) ** 2 for sample in samples_us) / len(samples_us))


def report(loaded: Loaded, warmup: list[int], runs: list[int], before_mib: float) -> None:
    say(
        f"Inference timings in us: Init: {round(loaded.init_s * 1e6)},"
        f" First inference: {warmup[0] if warmup else 0},"
        f" Warmup (avg): {mean(warmup):.6g}, Inference (avg): {mean(runs):.6g}"
    )
    say(
        "Note: as the benchmark tool itself affects memory footprint, the following is only"
        " APPROXIMATE to the actual memory footprint of the model at runtime. Take the"
        " information at your discretion."
    )
    say(
        "Memory footprint delta from the start of the tool (MB):"
        f" init={loaded.init_mem_mib:.6g} overall={resident_mib() - before_mib:.6g}"
    )


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def report_peak() -> None:
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if line
    )
    peak_mib = int(status["VmHWM"].split()[0]) / 1024
    say(f"Overall peak memory footprint (MB) via periodic monitoring: {peak_mib:.6g}")
    say("Memory status at the end of exeution:")
    resident = int(resident_mib())
    shared = int((Path("/proc/self/statm").read_text().split())[2]) * 4096 // 2**20
    say(f"- VmRSS              : {resident} MB")
    say(f"+ RssAnnon           : {resident - shared} MB")
    say(f"+ RssFile + RssShmem : {shared} MB")


def report_profile(loaded: Loaded, runs: list[int]) -> None:
    say("Profiling Info for Benchmark Initialization:")
    print_tables("AllocateTensors", "AllocateTensors/0", [round(loaded.init_s * 1e6)])
    say("Operator-wise Profiling Info for Regular Benchmark Runs:")
    kind = "TfLiteXNNPackDelegate" if loaded.complete else "Graph"
    print_tables(kind, f"[{kind}]:0", runs or [0])


def print_tables(kind: str, name: str, samples_us: list[int]) -> None:
    head = "\t{:>40}\t{:>9}\t{:>9}\t{:>8}\t{:>8}\t{:>10}\t{:>9}\t{}"
    titles = head.format(
        "[node type]",
        "[first]",
        "[avg ms]",
        "[%]",
        "[cdf%]",
        "[mem KB]",
        "[times called]",
        "[Name]",
    )
    first_ms, avg_ms = samples_us[0] / 1e3, mean(samples_us) / 1e3
    row = head.format(
        kind, f"{first_ms:.3f}", f"{avg_ms:.3f}", "100.000%", "100.000%", "0.000", "1", name
    )
    for title in ("Run Order", "Top by Computation Time"):
        print(f"{'=' * 30} {title} {'=' * 30}\n{titles}\n{row}\n")
    summary = "\t{:>40}\t{:>9}\t{:>10}\t{:>11}\t{:>11}\t{:>10}\t{:>9}"
    print(f"Number of nodes executed: 1\n{'=' * 30} Summary by node type {'=' * 30}")
    print(
        summary.format(
            "[Node type]", "[count]", "[avg ms]", "[avg %]", "[cdf %]", "[mem KB]", "[times called]"
        )
    )
    print(summary.format(kind, 1, f"{avg_ms:.3f}", "100.000%", "100.000%", "0.000", 1))
    timings = count_line(samples_us).partition(" p5=")[0]
    print(f"\nTimings (microseconds): {timings}\nMemory (bytes): count=0\n1 nodes observed\n\n\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
