"""What the scripts that compare lowered forms share: conversions, instructions, times, outputs.

It is imported, not run.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import ghostdeploy
from ghostdeploy import flatbuffer
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.export import tidy
from ghostdeploy.export.deploy import DeployNetwork
from ghostdeploy.export.provenance import tool_versions
from ghostdeploy.export.rewrites import MENDING, apply_rewrites
from ghostdeploy.export.tflite import start_converter
from ghostdeploy.export.to_onnx import to_onnx
from ghostdeploy.files import write_atomic
from ghostdeploy.litert import open_interpreter
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams, ExportOptions, ModelSpec
from ghostdeploy.tensors import dequantize_values, quantize_values

RUNS = 5  # of one file in a round; the fastest counts, as others use this machine too
# What makes the graph that the rewrites begin with.
SOURCES = ("zoo", "export/deploy.py", "export/to_onnx.py", "export/onnx2tf_worker.py")


def converted(spec: ModelSpec, cache_folder: Path | None = None) -> tuple[bytes, list[str]]:
    """Return onnx2tf's untouched file of the seed-0 network, and the ONNX values in graph order.

    With ``cache_folder`` once for each state of the sources and tools.
    """
    stem = f"{spec.name}-{sources_key()}"
    kept = cache_folder and (cache_folder / f"{stem}.raw", cache_folder / f"{stem}.json")
    if kept and kept[1].exists():
        return kept[0].read_bytes(), json.loads(kept[1].read_text())
    form = DeployNetwork(build_network(spec, None, 0), ExportOptions())
    with start_converter() as converter:
        exported = to_onnx(form, spec.resolution)
        converter.start(exported.model.SerializeToString(), "fp32")
        raw = converter.finish()
    values = [v for n in exported.model.graph.node for v in n.output]
    if kept:
        write_atomic(kept[0], raw)
        write_atomic(kept[1], json.dumps(values))  # last: it says that both are there
    return raw, values


@cache
def sources_key() -> str:
    """Return a key of everything that could change a conversion."""
    root = Path(ghostdeploy.__file__).parent
    digest = hashlib.sha256(repr(sorted(tool_versions().items())).encode())
    for name in SOURCES:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def written(raw: bytes, values: list[str], names: tuple[str, ...], path: Path) -> dict[str, int]:
    """Write the conversion with the rewrites ``names``; return how often each applied."""
    model = flatbuffer.load(raw, path.name)
    tidy.name_tensors(model, values, ("logits",))
    changed = apply_rewrites(model, (*MENDING, *names))
    tidy.drop_unused(model)
    path.write_bytes(flatbuffer.dump(model))
    return changed


def instructions(path: Path, **changes: Any) -> int:
    """Return the instructions of one inference on an emulated Cortex-A76.

    Raises RuntimeError for wrong outputs.
    """
    params = BenchParams(**changes)
    launch = open_runner("qemu:cortex-a76", params).launch(path, params)
    if not launch.valid or launch.instructions is None:
        raise RuntimeError(f"{path}: {launch.why_not}")
    return launch.instructions.total


def opened(path: Path) -> Any:
    """Return an interpreter of one thread that has run once, on noise where it takes floats."""
    interpreter = open_interpreter(path, threads=1)
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    if image["dtype"] == np.float32:
        value = np.random.default_rng(0).random(image["shape"], np.float32)
        interpreter.set_tensor(image["index"], value)
    interpreter.invoke()
    return interpreter


def logits(interpreter: Any, image: Any = None) -> Any:
    """Return the last run's logits, or those of ``image`` (1, H, W, 3), in real numbers."""
    (given,), (taken,) = interpreter.get_input_details(), interpreter.get_output_details()
    if image is not None:
        interpreter.set_tensor(given["index"], quantize_values(given, image))
        interpreter.invoke()
    return dequantize_values(taken, interpreter.get_tensor(taken["index"]))


def rounds_of(interpreters: list[Any], rounds: int) -> list[list[float]]:
    """Return seconds: a row a round, in turns there and back; each one's fastest of RUNS."""
    table = []
    order = list(range(len(interpreters)))
    for number in range(rounds):
        seen = {}
        for index in order if number % 2 else order[::-1]:
            seen[index] = min(timed(interpreters[index]) for _ in range(RUNS))
        table.append([seen[index] for index in order])
    return table


def ratio(table: list[list[float]], index: int, base: int) -> float:
    """Return one's time as a multiple of another's: the median over the rounds."""
    return statistics.median(row[index] / row[base] for row in table)


def timed(interpreter: Any) -> float:
    """Return the seconds of one inference."""
    start = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - start
