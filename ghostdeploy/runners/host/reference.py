"""What LiteRT on this machine makes of a model and an input, in a process of its own.

``python -m ghostdeploy.runners.host.reference MODEL FOLDER XNNPACK SHAPES [INPUTS]`` is that
process (SHAPES is a JSON object of shapes by the input's name): it writes each input and output
tensor into FOLDER, raw, and prints their names, types and shapes as JSON. It is a process of its
own because a runtime may die of a file that someone else made.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.litert import TensorDetails, open_interpreter, resize_inputs
from ghostdeploy.runners import Tensor
from ghostdeploy.runners.host.child_process import build_python_environment, run_process
from ghostdeploy.schema import InputShape

SEED = 0
TIMEOUT_S = 120.0
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
) -> Reference:
    """Run ``path`` once, on seeded values or on those in ``given``: all inputs' raw values.

    ``shapes`` are those of inputs that the model leaves open, by name.

    Raises MissingExtraError without LiteRT, InputFileError for a model that it cannot run.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "local")
    with tempfile.TemporaryDirectory() as folder:
        asked = json.dumps({each.name: each.shape for each in shapes})
        words = [str(path.absolute()), folder, str(int(xnnpack)), asked]
        words += [str(given.absolute())] if given else []
        argv = (sys.executable, "-m", __name__, *words)
        done = run_process(argv, TIMEOUT_S, build_python_environment())
        try:
            answer: _Answer = json.loads(done.stdout)
        except ValueError:
            raise InputFileError(f"{path}: LiteRT here cannot run it: {done.last_words}") from None
        inputs = {
            name: (tuple(shape), Path(folder, file).read_bytes())
            for name, shape, _, file in answer["inputs"]
        }
        outputs = tuple(
            (dtype, Path(folder, file).read_bytes()) for _, _, dtype, file in answer["outputs"]
        )
    runtime = f"litert {version('ai-edge-litert')}"
    return Reference(runtime, inputs, outputs, quantized=answer["quantized"])


def main(model: str, folder: str, xnnpack: str, shapes: str, given: str = "") -> None:
    """Run ``model`` once, keep its tensors in ``folder`` and print the answer: the child."""
    import numpy as np

    interpreter = open_interpreter(model, threads=1, xnnpack=xnnpack == "1")
    resize_inputs(interpreter, json.loads(shapes))
    interpreter.allocate_tensors()
    types = {np.dtype(detail["dtype"]).name for detail in interpreter.get_tensor_details()}
    answer = _Answer(inputs=[], outputs=[], quantized=bool(types & SMALL_INTEGERS))
    data = Path(given).read_bytes() if given else None
    details = interpreter.get_input_details()
    for number, (detail, values) in enumerate(zip(details, _inputs(details, data), strict=True)):
        interpreter.set_tensor(detail["index"], values)
        answer["inputs"].append(_keep(Path(folder, f"inputs{number}"), detail["name"], values))
    interpreter.invoke()
    for number, detail in enumerate(interpreter.get_output_details()):
        values = interpreter.get_tensor(detail["index"])
        answer["outputs"].append(_keep(Path(folder, f"outputs{number}"), detail["name"], values))
    print(json.dumps(answer))


def _keep(file: Path, name: str, values: Any) -> tuple[str, list[int], str, str]:
    """Write an array's raw values into ``file`` and return what the answer says of it."""
    file.write_bytes(values.tobytes())
    return name, [int(n) for n in values.shape], values.dtype.name, file.name


def _inputs(details: Sequence[TensorDetails], data: bytes | None) -> Iterator[Any]:
    """Yield an array an input: one after the other from ``data``, or drawn at random."""
    import numpy as np

    random, start = np.random.default_rng(SEED), 0
    for detail in details:
        if data is None:
            yield _draw_example(random, detail["shape"], detail["dtype"])
            continue
        size = int(np.prod(detail["shape"]))
        values = np.frombuffer(data, detail["dtype"], size, start).reshape(detail["shape"])
        start += values.nbytes
        yield values


def _draw_example(random: Any, shape: Any, dtype: Any) -> Any:
    """Draw something like a normalized image for an input of real numbers, else any values."""
    import numpy as np

    if np.issubdtype(dtype, np.floating):
        return random.standard_normal(shape).astype(dtype)
    if np.issubdtype(dtype, np.integer) and np.dtype(dtype).itemsize <= 2:
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    return np.zeros(shape, dtype)


if __name__ == "__main__":
    main(*sys.argv[1:])
