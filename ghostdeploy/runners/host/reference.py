"""What LiteRT on this machine makes of a model and an input, in a process of its own.

``python -m ghostdeploy.runners.host.reference JOB`` is that process, JOB a JSON object with
``ReferenceJob``'s fields: it writes each input and output tensor into a folder, raw, and prints
their names, types and shapes as JSON. It is a process of its own because a runtime may die of a
file that someone else made.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from ghostdeploy.errors import InputFileError, MissingExtraError, UsageError
from ghostdeploy.litert import Interpreter, TensorDetails, open_interpreter, resize_inputs
from ghostdeploy.random_inputs import ValueRange, draw_input, try_ranges
from ghostdeploy.runners import Tensor
from ghostdeploy.runners.host.child_process import build_python_environment, run_process
from ghostdeploy.schema import BenchParams, InputShape

SEED = 0
TIMEOUT_S = 120.0
FLOATS = (-2.0, 2.0)  # something like a normalized image
SMALL_INTEGERS = {"int8", "uint8", "int16"}


@dataclass(frozen=True)
class Reference:
    """A model's inputs by name, and its outputs: (numpy type's name, raw values) each.

    ``quantized`` tells whether the model holds tensors of integers of 8 or 16 bits.
    """

    runtime: str
    inputs: dict[str, Tensor]
    outputs: tuple[tuple[str, bytes], ...]
    quantized: bool


@dataclass(frozen=True)
class ReferenceJob:
    """What to run, and where to write what comes out.

    ``given`` is a file of all inputs' raw values, "" to draw them; then ``input_range`` are the
    ends of what the inputs take, or nothing. ``shapes`` are those of inputs that the model leaves
    open, by name.
    """

    model: str
    folder: str
    xnnpack: bool
    given: str = ""
    input_range: Sequence[float] = ()
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)


class _Answer(TypedDict):
    """The JSON that the child prints: (name, shape, numpy type's name, file) a tensor."""

    inputs: list[tuple[str, list[int], str, str]]
    outputs: list[tuple[str, list[int], str, str]]
    quantized: bool


def compute_reference(
    path: Path,
    *,
    xnnpack: bool = True,
    shapes: Sequence[InputShape] = (),
    given: Path | None = None,
    input_range: Sequence[float] = (),
) -> Reference:
    """Run ``path`` once, on seeded values or on those in ``given``: all inputs' raw values.

    ``shapes`` are those of inputs that the model leaves open, by name. The seeded values are in
    ``input_range``, where it has two ends. Raises MissingExtraError without LiteRT, InputFileError
    for a model that it cannot run.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "local")
    with tempfile.TemporaryDirectory() as folder:
        values = str(given.absolute()) if given else ""
        asked = {each.name: each.shape for each in shapes}
        job = ReferenceJob(str(path.absolute()), folder, xnnpack, values, input_range, asked)
        argv = (sys.executable, "-m", __name__, json.dumps(asdict(job)))
        done = run_process(argv, TIMEOUT_S, build_python_environment())
        try:
            answer: _Answer = json.loads(done.stdout)
        except ValueError:
            said = done.killed_by or done.last_words
            raise InputFileError(f"{path}: LiteRT here cannot run it: {said}") from None
        inputs = {
            name: (tuple(shape), Path(folder, file).read_bytes())
            for name, shape, _, file in answer["inputs"]
        }
        outputs = tuple(
            (dtype, Path(folder, file).read_bytes()) for _, _, dtype, file in answer["outputs"]
        )
    runtime = f"litert {version('ai-edge-litert')}"
    return Reference(runtime, inputs, outputs, quantized=answer["quantized"])


@contextmanager
def write_drawn_inputs(
    path: Path, params: BenchParams
) -> Iterator[tuple[tuple[str, tuple[int, ...], Path], ...]]:
    """Write a file of values in ``params.input_range`` for each input, for TFLite's own program.

    Each is told by the input's name and shape; without a range there are none, and the program
    draws its own. Raises UsageError for a name that the program's flags cannot hold, and what
    ``compute_reference`` raises.
    """
    if not params.input_range:
        yield ()
        return
    drawn = compute_reference(
        path, xnnpack=params.xnnpack, shapes=params.input_shapes, input_range=params.input_range
    ).inputs
    if unspeakable := next((name for name in drawn if "," in name), None):
        raise UsageError(f"{path}: benchmark_model cannot name its input {unspeakable!r}")
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as folder:
        files = []
        for number, (name, (shape, data)) in enumerate(drawn.items()):
            files.append((name, shape, Path(folder, f"input{number}.bin")))
            files[-1][2].write_bytes(data)
        yield tuple(files)


def main(words: str) -> None:
    """Run the model once, keep its tensors in the folder and print the answer: the child."""
    import numpy as np

    job = ReferenceJob(**json.loads(words))
    interpreter = open_interpreter(job.model, threads=1, xnnpack=job.xnnpack)
    resize_inputs(interpreter, job.shapes)
    interpreter.allocate_tensors()
    types = {np.dtype(detail["dtype"]).name for detail in interpreter.get_tensor_details()}
    answer = _Answer(inputs=[], outputs=[], quantized=bool(types & SMALL_INTEGERS))
    details = interpreter.get_input_details()
    for number, (detail, values) in enumerate(zip(details, _run(interpreter, job), strict=True)):
        answer["inputs"].append(_keep(Path(job.folder, f"inputs{number}"), detail["name"], values))
    for number, detail in enumerate(interpreter.get_output_details()):
        values = interpreter.get_tensor(detail["index"])
        file = Path(job.folder, f"outputs{number}")
        answer["outputs"].append(_keep(file, detail["name"], values))
    print(json.dumps(answer))


def _run(interpreter: Interpreter, job: ReferenceJob) -> list[Any]:
    """Run the model once, and return an array an input: those given, or drawn at random."""
    given = (job.input_range[0], job.input_range[1]) if job.input_range else None
    details = interpreter.get_input_details()

    def run(values: list[Any]) -> list[Any]:
        for detail, value in zip(details, values, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        return values

    if job.given:
        return run(list(_split(details, Path(job.given).read_bytes())))
    return try_ranges(lambda integers: run(_draw(details, given, integers)), given)


def _keep(file: Path, name: str, values: Any) -> tuple[str, list[int], str, str]:
    """Write an array's raw values into ``file`` and return what the answer says of it."""
    file.write_bytes(values.tobytes())
    return name, [int(n) for n in values.shape], values.dtype.name, file.name


def _split(details: Sequence[TensorDetails], data: bytes) -> Iterator[Any]:
    """Yield an array an input, one after the other from ``data``."""
    import numpy as np

    start = 0
    for detail in details:
        size = int(np.prod(detail["shape"]))
        values = np.frombuffer(data, detail["dtype"], size, start).reshape(detail["shape"])
        start += values.nbytes
        yield values


def _draw(
    details: Sequence[TensorDetails], given: ValueRange | None, integers: ValueRange
) -> list[Any]:
    import numpy as np

    generator = np.random.default_rng(SEED)
    return [draw_input(generator, detail, given, integers, FLOATS) for detail in details]


if __name__ == "__main__":
    main(*sys.argv[1:])
