"""What versions of converters and runtimes compute of GhostNetV2's delicate operators. Markdown.

Files of one operator, of valid input, through each row's package: the installed version where it is
the one asked for, else one in a virtual environment of its own (Python 3.12 where a package needs
it: PYTHON312 names it if python3.12 is not on PATH). A package that cannot be installed here is
said to be so. Run: python benchmarks/converters.py [--venvs FOLDER] [PACKAGE…] (some minutes, most
of it pip; FOLDER keeps the environments for the next run)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from one_operator_files import make_nearest
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]
ASKING = Path(__file__).with_name("converter_probes.py")
CEIL = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "count_include_pad": 1}
TORCH = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
TF_HALF = {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"}
LINE = np.arange(3, dtype=np.float32)


@dataclass(frozen=True)
class Probe:
    """A file of one operator, and what goes in."""

    name: str
    format: str
    data: bytes
    image: Array


@dataclass(frozen=True)
class Package:
    """A row: ``probe`` is a function of converter_probes.py, ``python`` named where it matters."""

    name: str
    version: str
    probe: str
    formats: tuple[str, ...]
    python: str = ""
    beside: tuple[str, ...] = ()


PACKAGES = (
    Package("onnx", "1.19.1", "onnx_reference", ("onnx",)),
    Package("onnxruntime", "1.23.0", "onnxruntime", ("onnx",)),
    Package("onnxruntime", "1.32.0", "onnxruntime", ("onnx",)),
    Package("openvino", "2026.4.1", "openvino", ("onnx", "tflite")),
    Package("onnx2tf", "1.29.24", "onnx2tf", ("onnx",)),
    Package("onnx2tf", "2.6.9", "onnx2tf", ("onnx",), "3.12", ("ai-edge-litert==2.3.0",)),
    Package("ai-edge-litert", "2.1.0", "litert", ("tflite",)),
    Package("ai-edge-litert", "2.3.0", "litert", ("tflite",)),
)


def main(names: list[str], venvs: Path | None) -> None:
    """Print a row a probe and answer, with the packages that give it."""
    print("| operator | gives | package |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for probe in probes():
            path = Path(folder) / f"probe.{probe.format}"
            path.write_bytes(probe.data)
            np.save(path.with_suffix(".npy"), probe.image)
            answers: dict[str, list[str]] = {}
            for package in PACKAGES:
                if probe.format in package.formats and (not names or package.name in names):
                    said = ask(package, path, venvs or Path(folder))
                    answers.setdefault(said, []).append(f"{package.name} {package.version}")
            for said, packages in answers.items():
                print(f"| {probe.name} | {said} | {', '.join(packages)} |", flush=True)


def probes() -> Iterator[Probe]:
    """Yield the questions."""
    line, ones = LINE.reshape(1, 1, 3, 1), np.ones((1, 1, 3, 3), np.float32)
    wave = np.arange(8, dtype=np.float32).reshape(1, 1, 8, 1) % 2
    yield Probe("ONNX nearest 3 → 7, asymmetric, floor", "onnx", resize(line, 7, TORCH), line)
    name = "ONNX nearest 3 → 7, tf_half_pixel_for_nn at opset 18"
    yield Probe(name, "onnx", resize(line, 7, TF_HALF), line)
    for opset in (18, 19):
        name = f"ONNX AveragePool 3 → 2 of ones, ceil_mode, count_include_pad, opset {opset}"
        yield Probe(name, "onnx", one_node("AveragePool", ones, opset, CEIL), ones)
    smooth = resize(wave, 4, {"mode": "linear", "antialias": 1})
    yield Probe("ONNX Resize 8 → 4 of 0, 1, 0, 1…, linear, antialias", "onnx", smooth, wave)
    for half in (False, True):
        name = f"TFLite nearest 3 → 7, half_pixel_centers {'on' if half else 'off'}"
        yield Probe(name, "tflite", make_nearest(3, 7, half), line.transpose(0, 2, 3, 1))


def resize(image: Array, after: int, how: dict[str, object]) -> bytes:
    """Return an ONNX Resize of an image's rows to ``after``."""
    sizes = numpy_helper.from_array(np.array([1, 1, after, 1], np.int64), "sizes")
    return one_node("Resize", image, 18, {"mode": "nearest", **how}, ["", "", sizes])


def one_node(
    op: str,
    image: Array,
    opset: int,
    attributes: dict[str, object],
    more: list[object] | None = None,
) -> bytes:
    """Return an ONNX file of one node; ``more`` are further inputs, constants or left out."""
    constants = [item for item in more or [] if isinstance(item, TensorProto)]
    inputs = ["x", *(item.name if isinstance(item, TensorProto) else "" for item in more or [])]
    node = helper.make_node(op, inputs, ["y"], **attributes)
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)
    target = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "one", [source], [target], constants)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def ask(package: Package, path: Path, venvs: Path) -> str:
    """Return what the package gives for the file at ``path``, in words."""
    python = interpreter_of(package, venvs)
    if python is None:
        return "not asked: it cannot be installed here"
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [python, ASKING, package.probe, path.name]
    done = subprocess.run(
        command, cwd=path.parent, env=quiet, capture_output=True, text=True, timeout=600
    )
    lines = done.stdout.strip().splitlines()
    try:
        numbers = json.loads(lines[-1] if lines else "")
    except ValueError:
        return "refused: " + (done.stderr.strip().splitlines() or ["without a word"])[-1][:100]
    return ", ".join(f"{number:.4g}" for number in numbers)


def interpreter_of(package: Package, venvs: Path) -> Path | None:
    """Return the Python that has the package, made where there is none; None where that fails."""
    try:
        if version(package.name) == package.version:
            return Path(sys.executable)
    except PackageNotFoundError:
        pass
    home = venvs / f"{package.name}-{package.version}"
    python = home / "bin" / "python"
    if not home.exists():
        base = os.environ.get("PYTHON312", "python3.12") if package.python else sys.executable
        wanted = [f"{package.name}=={package.version}", "numpy", *package.beside]
        try:
            subprocess.run([base, "-m", "venv", home], check=True, capture_output=True)
            install = [python, "-m", "pip", "install", "--quiet", *wanted]
            subprocess.run(install, check=True, capture_output=True)
            (home / "ready").touch()
        except (OSError, subprocess.CalledProcessError):
            home.mkdir(exist_ok=True)
    return python if (home / "ready").exists() else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venvs", type=Path)
    parser.add_argument("packages", nargs="*")
    arguments = parser.parse_args()
    main(arguments.packages, arguments.venvs and arguments.venvs.resolve())
