"""A model's outputs on this machine.

``python -m ghostdeploy.runners.arm.host MODEL IN OUT KERNELS`` is the part that runs the file: IN
holds the raw values of all inputs in order, OUT gets those of all outputs. It is a process of its
own, because a runtime may die of a file that someone else made.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ghostdeploy.errors import MeasurementError, MissingExtraError
from ghostdeploy.runners.process import python_environment, run_process

TIMEOUT_S = 300.0
MISSING = 5  # exit code


def host_outputs(model: Path, inputs: Path, outputs: Path, xnnpack: bool) -> str:
    """Writes ``outputs``; returns TYPE:COUNT of each, with commas, in numpy's names.

    Raises MissingExtraError without LiteRT, MeasurementError where it cannot run the file.
    """
    kernels = "xnnpack" if xnnpack else "builtin"
    argv = [sys.executable, "-m", __name__, str(model), str(inputs), str(outputs), kernels]
    done = run_process(argv, TIMEOUT_S, python_environment())
    if done.timed_out:
        raise MeasurementError(f"no outputs on this machine in {TIMEOUT_S:.0f} s")
    if done.returncode == MISSING:
        raise MissingExtraError("ai-edge-litert", "local")
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
        raise MeasurementError(f"LiteRT on this machine cannot run it: {said}")
    return done.stdout.strip()


def main(argv: Sequence[str]) -> int:
    model, inputs, outputs, kernels = argv
    try:
        import numpy as np
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ModuleNotFoundError:
        return MISSING
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_path=model,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.AUTO if kernels == "xnnpack" else resolver,
    )
    interpreter.allocate_tensors()
    data, start = Path(inputs).read_bytes(), 0
    for tensor in interpreter.get_input_details():
        dtype, shape = np.dtype(tensor["dtype"]), tuple(tensor["shape"])
        count = int(np.prod(shape))
        values = np.frombuffer(data, dtype, count, start).reshape(shape)
        interpreter.set_tensor(tensor["index"], values)
        start += count * dtype.itemsize
    interpreter.invoke()
    details = interpreter.get_output_details()
    raw = b"".join(interpreter.get_tensor(d["index"]).tobytes() for d in details)
    Path(outputs).write_bytes(raw)
    print(",".join(f"{np.dtype(d['dtype'])}:{int(np.prod(d['shape']))}" for d in details))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
