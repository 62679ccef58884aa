"""What LiteRT on this machine makes of a model and an input, in a process of its own.

``python -m ghostdeploy.runners.reference MODEL FOLDER XNNPACK`` is that process: it writes each
input and output tensor into FOLDER, raw, and prints their names, types and shapes as JSON.
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
from ghostdeploy.runners.process import python_environment, run_process

SEED = 0
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Reference:
    """Inputs by name, and what came of them: (numpy type's name, raw values) an output."""

    runtime: str
    inputs: dict[str, Tensor]
    outputs: tuple[tuple[str, bytes], ...]

    @property
    def quantized(self) -> bool:
        return any("int" in kind for kind, _ in self.outputs)

    def rel_l2(self, raw: bytes) -> float | None:
        """‖raw−ours‖₂/‖ours‖₂ over all outputs; None if there are more or fewer values."""
        import numpy as np

        if len(raw) != sum(len(data) for _, data in self.outputs):
            return None
        error = norm = 0.0
        start = 0
        for kind, data in self.outputs:
            ours = np.frombuffer(data, kind).astype(np.float64)
            theirs = np.frombuffer(raw[start : start + len(data)], kind).astype(np.float64)
            start += len(data)
            error += float(np.sum((theirs - ours) ** 2))
            norm += float(np.sum(ours**2))
        return float((error / norm) ** 0.5) if norm else float(error > 0)


def reference(path: Path, *, xnnpack: bool = True) -> Reference:
    """Run ``path`` once on seeded values.

    Raises MissingExtraError without LiteRT, InputFileError for a model that it cannot run.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "local")
    with tempfile.TemporaryDirectory() as folder:
        argv = (sys.executable, "-m", __name__, str(path.absolute()), folder, str(int(xnnpack)))
        done = run_process(argv, TIMEOUT_S, python_environment(), ())
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
    return Reference(f"litert {version('ai-edge-litert')}", inputs, outputs)


def main(model: str, folder: str, xnnpack: str) -> None:
    """The child."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = (
        OpResolverType.AUTO if xnnpack == "1" else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter = Interpreter(model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    random = np.random.default_rng(SEED)
    told: dict[str, list[Any]] = {"inputs": [], "outputs": []}

    def keep(kind: str, detail: dict[str, Any], values: Any) -> None:
        file = f"{kind}{len(told[kind])}"
        Path(folder, file).write_bytes(values.tobytes())
        shape = [int(n) for n in values.shape]
        told[kind].append((detail["name"], shape, values.dtype.name, file))

    for detail in interpreter.get_input_details():
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
