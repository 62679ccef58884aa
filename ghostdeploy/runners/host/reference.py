"""What LiteRT on this machine makes of a model and an input, in a process of its own.

``python -m ghostdeploy.runners.host.reference MODEL FOLDER XNNPACK [INPUTS]`` is that process: it
writes each input and output tensor into FOLDER, raw, and prints their names, types and shapes as
JSON. It is a process of its own because a runtime may die of a file that someone else made.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.runners import Tensor
from ghostdeploy.runners.host.child_process import python_environment, run_process

SEED = 0
TIMEOUT_S = 120.0
SMALL_INTEGERS = {"int8", "uint8", "int16"}


@dataclass(frozen=True)
class Reference:
    """Inputs by name, and what came of them: (numpy type's name, raw values) an output.

    ``quantized``: the model holds tensors of 8 or 16 bits integers.
    """

    runtime: str
    inputs: dict[str, Tensor]
    outputs: tuple[tuple[str, bytes], ...]
    quantized: bool


def reference(path: Path, *, xnnpack: bool = True, given: Path | None = None) -> Reference:
    """Run ``path`` once, on seeded values or on those in ``given``: all inputs' raw values.

    Raises MissingExtraError without LiteRT, InputFileError for a model that it cannot run.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "local")
    with tempfile.TemporaryDirectory() as folder:
        words = [str(path.absolute()), folder, str(int(xnnpack))]
        words += [str(given.absolute())] if given else []
        argv = (sys.executable, "-m", __name__, *words)
        done = run_process(argv, TIMEOUT_S, python_environment())
        try:
            told: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
            raise InputFileError(f"{path}: LiteRT here cannot run it: {last}") from None
        inputs = {
            name: (tuple(shape), Path(folder, file).read_bytes())
            for name, shape, _, file in told["inputs"]
        }
        outputs = tuple(
            (kind, Path(folder, file).read_bytes()) for _, _, kind, file in told["outputs"]
        )
    runtime = f"litert {version('ai-edge-litert')}"
    return Reference(runtime, inputs, outputs, quantized=bool(told["quantized"]))


def main(model: str, folder: str, xnnpack: str, given: str = "") -> None:
    """The child."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = (
        OpResolverType.AUTO if xnnpack == "1" else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter = Interpreter(model, num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    random = np.random.default_rng(SEED)
    types = {np.dtype(detail["dtype"]).name for detail in interpreter.get_tensor_details()}
    told: dict[str, Any] = {"inputs": [], "outputs": [], "quantized": bool(types & SMALL_INTEGERS)}

    def keep(kind: str, detail: dict[str, Any], values: Any) -> None:
        file = f"{kind}{len(told[kind])}"
        Path(folder, file).write_bytes(values.tobytes())
        shape = [int(n) for n in values.shape]
        told[kind].append((detail["name"], shape, values.dtype.name, file))

    data, start = Path(given).read_bytes() if given else b"", 0
    for detail in interpreter.get_input_details():
        if given:
            count = int(np.prod(detail["shape"]))
            values = np.frombuffer(data, detail["dtype"], count, start).reshape(detail["shape"])
            start += values.nbytes
        else:
            values = _example(random, detail["shape"], detail["dtype"])
        interpreter.set_tensor(detail["index"], values)
        keep("inputs", detail, values)
    interpreter.invoke()
    for detail in interpreter.get_output_details():
        keep("outputs", detail, interpreter.get_tensor(detail["index"]))
    print(json.dumps(told))


def _example(random: Any, shape: Any, dtype: Any) -> Any:
    """Like a normalized image where the input is of real numbers, else any of its values."""
    import numpy as np

    if np.issubdtype(dtype, np.floating):
        return random.standard_normal(shape).astype(dtype)
    if np.issubdtype(dtype, np.integer) and np.dtype(dtype).itemsize <= 2:
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    return np.zeros(shape, dtype)


if __name__ == "__main__":
    main(*sys.argv[1:])
