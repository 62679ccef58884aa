"""A first run of a model file, where it can do no harm.

A runtime reads a model's offsets and sizes without much doubt, and may die of a file that someone
else made or that is damaged. Commands that run a file in their own process try it here first:
``python -m ghostdeploy.runners.host.trial_run FILE`` is a process of its own.
"""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.litert import open_interpreter
from ghostdeploy.random_inputs import draw_input, draw_values
from ghostdeploy.runners.host.child_process import build_python_environment, run_process
from ghostdeploy.runners.host.openers import numpy_type_of, seed_generator

TIMEOUT_S = 120.0
SEED = 0
INDICES = (0.0, 0.0)  # what any table has


def refuse_deadly(path: Path) -> None:
    """Run a model file once. Raises InputFileError where its runtime dies or comes to no end.

    What a runtime merely refuses is left for the caller, who is told the reason by it.
    """
    argv = (sys.executable, "-m", __name__, str(path.absolute()))
    done = run_process(argv, TIMEOUT_S, build_python_environment())
    runtime = "onnxruntime" if path.suffix == ".onnx" else "LiteRT"
    if done.timed_out:
        raise InputFileError(f"{path}: {runtime} has not run it once after {TIMEOUT_S:.0f} s")
    if done.killed_by:
        raise InputFileError(
            f"{path}: {runtime} dies of it ({done.killed_by}): the file is damaged, or needs"
            " another version"
        )


def main(path: str) -> None:
    """Run the file once in each way that the commands do: the child."""
    onnx = path.endswith(".onnx")
    ways = [_run_onnx] if onnx else [partial(_run_tflite, xnnpack=on) for on in (True, False)]
    for run in ways:  # also where the way before it was refused
        with contextlib.suppress(Exception):  # the command meets the same error, and tells it
            run(path)


def _run_onnx(path: str) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    inputs, generator = {}, seed_generator(SEED)
    for tensor in session.get_inputs():
        shape = [side if isinstance(side, int) and side >= 0 else 1 for side in tensor.shape]
        dtype = numpy_type_of(tensor.type)
        inputs[tensor.name] = draw_values(generator, dtype, shape, integers=INDICES)
    session.run(None, inputs)


def _run_tflite(path: str, *, xnnpack: bool) -> None:
    """Run it by XNNPACK, or by the builtin kernels with every tensor kept."""
    interpreter = open_interpreter(path, threads=1, xnnpack=xnnpack, keep_tensors=not xnnpack)
    interpreter.allocate_tensors()
    generator = seed_generator(SEED)
    for detail in interpreter.get_input_details():
        values = draw_input(generator, detail, None, INDICES)
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    for detail in interpreter.get_tensor_details():
        with contextlib.suppress(ValueError):  # one that holds nothing
            interpreter.get_tensor(detail["index"])


if __name__ == "__main__":
    main(*sys.argv[1:])
