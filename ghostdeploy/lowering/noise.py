"""How far two TFLite files are apart on random inputs, in every signature that they have.

``python -m ghostdeploy.lowering.noise BEFORE AFTER SEEDS [LO HI]`` prints a NoiseDistance as JSON.
It is a process of its own because a runtime may die of a file that someone else made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.litert import Interpreter, TensorDetails, open_interpreter
from ghostdeploy.lowering.parity import relative_l2
from ghostdeploy.random_inputs import ValueRange, draw_input, try_ranges

FLOATS = (-2.0, 2.0)  # something like a normalized image
THREADS = 2


@dataclass(frozen=True)
class NoiseDistance:
    """The worst relative L2 of any output, and whether the first file is quantized."""

    rel_l2: float
    quantized: bool


class Entry:
    """A way into a model, with its inputs and outputs by name: a signature, or its first graph."""

    def __init__(self, interpreter: Interpreter, signature: str) -> None:
        self.interpreter, self.signature = interpreter, signature
        if signature:
            self.runner = interpreter.get_signature_runner(signature)
            self.inputs = self.runner.get_input_details()
            self.outputs = self.runner.get_output_details()
        else:
            interpreter.allocate_tensors()
            self.inputs = _number(interpreter.get_input_details())
            self.outputs = _number(interpreter.get_output_details())

    def run(self, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Return every output; quantized ones without their zero point.

        So distances are relative to the signal.
        """
        found = self._run(values)
        return {
            name: found[name].astype(np.float32) - detail["quantization"][1]
            for name, detail in self.outputs.items()
        }

    def _run(self, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if self.signature:
            return self.runner(**values)
        for name, detail in self.inputs.items():
            self.interpreter.set_tensor(detail["index"], values[name])
        self.interpreter.invoke()
        return {n: self.interpreter.get_tensor(d["index"]) for n, d in self.outputs.items()}


def _number(details: list[TensorDetails]) -> dict[str, TensorDetails]:
    return {str(number): detail for number, detail in enumerate(details)}


def measure_noise_distance(
    before: bytes, after: bytes, seeds: int, given: ValueRange | None = None
) -> NoiseDistance:
    """Compare two files that have the same signatures on ``seeds`` random inputs of each.

    ``given`` is the range of values that the inputs take. Raises what LiteRT raises.
    """
    old, new = (open_interpreter(data, threads=THREADS) for data in (before, after))
    names = list(old.get_signature_list()) or [""]
    if list(new.get_signature_list() or [""]) != names:
        return NoiseDistance(float("inf"), quantized=False)
    entries = [(Entry(old, name), Entry(new, name)) for name in names]
    worst = max(try_ranges(partial(_distance, a, b, seeds, given), given) for a, b in entries)
    scales = (detail["quantization"][0] for detail in old.get_tensor_details())
    return NoiseDistance(worst, any(scales))


def _distance(
    old: Entry, new: Entry, seeds: int, given: ValueRange | None, integers: ValueRange
) -> float:
    worst = 0.0
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        values = {
            name: draw_input(generator, detail, given, integers, FLOATS)
            for name, detail in sorted(old.inputs.items())
        }
        expected, got = old.run(values), new.run(values)
        if expected.keys() != got.keys():
            return float("inf")
        worst = max(worst, *(_compare(expected[name], got[name]) for name in expected))
    return worst


def _compare(expected: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    """Return the relative L2; what is no number must be the same in both."""
    if expected.shape != got.shape:
        return float("inf")
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], got[~finite], equal_nan=True):
        return float("inf")
    return relative_l2(expected[finite], got[finite])


def main(before: str, after: str, seeds: str, *given: str) -> None:
    """Print the distance of two files as JSON, or what LiteRT says."""
    low_high = (float(given[0]), float(given[1])) if given else None
    files = Path(before).read_bytes(), Path(after).read_bytes()
    try:
        answer = asdict(measure_noise_distance(*files, int(seeds), low_high))
    except Exception as error:
        answer = {"error": str(error) or type(error).__name__}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
