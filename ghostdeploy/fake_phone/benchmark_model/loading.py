"""Opening the model: failures as the program tells them, and what XNNPACK takes of the graph."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostdeploy.fake_phone.benchmark_model.console import BenchmarkFailed, say
from ghostdeploy.fake_phone.benchmark_model.flags import Flags
from ghostdeploy.fake_phone.benchmark_model.footprint import resident_mib


@dataclass(frozen=True)
class StandInModel:
    """An interpreter ready to run, and what opening it took."""

    interpreter: Any  # ai_edge_litert's, which has no types
    init_s: float
    init_mem_mib: float
    delegate_kernels: int
    complete: bool  # one delegate kernel is the whole graph


def load(flags: Flags, before_mib: float) -> StandInModel:
    """Open the model that ``--graph`` names and plan its memory.

    ``before_mib`` is the process's memory so far. Raises BenchmarkFailed where the program would
    give up: no such file, no model, or a part of the graph outside the delegate.
    """
    check_file(flags.graph)
    started = time.monotonic()
    interpreter = make_interpreter(flags)
    kernels, complete = count_delegate_kernels(interpreter)
    if flags.require_full_delegation and not (flags.use_xnnpack and complete):
        raise BenchmarkFailed("Disallowed CPU fallback detected.", "Benchmarking failed.")
    if flags.use_xnnpack:
        say_delegation(kernels, complete)
    init_s = round(time.monotonic() - started, 6)
    return StandInModel(interpreter, init_s, resident_mib() - before_mib, kernels, complete)


def check_file(graph: str) -> None:
    """Raise BenchmarkFailed where ``graph`` is not the start of a TFLite file."""
    ending = (f"Failed to load model {graph}", "Benchmarking failed.")
    try:
        head = Path(graph).read_bytes()[:8]
    except OSError:
        raise BenchmarkFailed(
            f"Could not open '{graph}'.", "The model allocation is null/empty", *ending
        ) from None
    if not head:
        raise BenchmarkFailed(
            "Mmap of '3' at offset '0' failed with error '22'.",
            "The model allocation is null/empty",
            *ending,
        )
    if head[4:] != b"TFL3":
        raise BenchmarkFailed("The model is not a valid Flatbuffer buffer", *ending)


def make_interpreter(flags: Flags) -> Any:
    """Return LiteRT's Interpreter of the model, its tensors allocated."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    graph, threads = flags.graph, flags.num_threads
    resolver = (
        OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        if flags.use_xnnpack is False
        else OpResolverType.AUTO
    )
    try:
        interpreter = Interpreter(
            graph,
            num_threads=threads if threads > 0 else None,
            experimental_op_resolver_type=resolver,
        )
    except (ValueError, RuntimeError):
        raise BenchmarkFailed(
            "The model is not a valid Flatbuffer buffer",
            f"Failed to load model {graph}",
            "Benchmarking failed.",
        ) from None
    say(f"Loaded model {graph}")
    if threads < -1:
        raise BenchmarkFailed(
            "num_threads should be >= 0 or just -1 to let TFLite runtime set the value.",
            "Failed to set thread number",
            "Benchmarking failed.",
        )
    resize_inputs(interpreter, flags.input_layer, flags.input_layer_shape)
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise BenchmarkFailed(
            str(error), "Failed to allocate tensors!", "Benchmarking failed."
        ) from None
    return interpreter


def resize_inputs(interpreter: Any, names: str, shapes: str) -> None:
    """Give the inputs ``a,b`` the shapes ``1,2:3,4``, as far as they differ from their own."""
    asked = dict(zip(names.split(","), shapes.split(":"), strict=False))
    for detail in interpreter.get_input_details():
        shape = [int(side) for side in asked.get(detail["name"], "").split(",") if side]
        if shape and shape != detail["shape"].tolist():
            interpreter.resize_tensor_input(detail["index"], shape)


def count_delegate_kernels(interpreter: Any) -> tuple[int, bool]:
    """Return how many delegate kernels there are, and whether one of them is the whole graph.

    It is where it keeps every intermediate tensor to itself.
    """
    ops = interpreter._get_ops_details()
    kernels = sum(op["op_name"] == "DELEGATE" for op in ops)
    visible = {detail["index"] for detail in interpreter.get_output_details()}
    inner = {
        int(index) for op in ops if op["op_name"] != "DELEGATE" for index in op["outputs"]
    } - visible
    return kernels, kernels == 1 and not any(_has_data(interpreter, index) for index in inner)


def _has_data(interpreter: Any, index: int) -> bool:
    try:
        interpreter.get_tensor(index)
    except ValueError:
        return False
    return True


def say_delegation(kernels: int, complete: bool) -> None:
    """Print how much of the graph the delegate took, in the program's words."""
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
