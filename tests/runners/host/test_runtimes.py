"""The runtimes of this machine: which library each loads, and which files it runs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.runners.host.runtimes import RUNTIMES, check_format, find_evidence
from ghostdeploy.schema import BenchParams


@pytest.mark.parametrize("name", [n for n, row in RUNTIMES.items() if row.package])
def test_evidence_is_of_the_installed_wheel(name):
    row = RUNTIMES[name]
    got = find_evidence(BenchParams(runtime=name))
    assert (got.name, got.version) == (name, version(row.distribution))
    package = Path(import_module(row.package).__path__[0])
    libraries = {hashlib.sha256(p.read_bytes()).hexdigest() for p in package.rglob("*.so*")}
    assert got.sha256 in libraries


def test_evidence_names_the_library_that_is_really_loaded():
    for name, module in (("litert", "ai_edge_litert.interpreter"), ("onnxruntime", "onnxruntime")):
        code = f"import {module}; print(open('/proc/self/maps').read())"
        maps = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        mapped = {line.split()[-1] for line in maps.splitlines() if ".so" in line}
        digests = {hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in mapped}
        assert find_evidence(BenchParams(runtime=name)).sha256 in digests


@pytest.mark.parametrize(
    ("name", "runtime", "says"),
    [
        ("a.onnx", "litert", "for .onnx use --runtime onnxruntime"),
        ("a.onnx", "tflite-runtime", "tflite-runtime runs .tflite files"),
        ("a.onnx", "benchmark_model", "benchmark_model runs .tflite files"),
        ("a.TFLITE", "onnxruntime", "for .tflite use --runtime litert or tflite-runtime"),
        ("a.pt", "litert", "a model's file name ends in .tflite or .onnx"),
        ("a", "litert", "a model's file name ends in"),
    ],
)
def test_a_file_of_another_runtime_is_refused(name, runtime, says):
    with pytest.raises(UsageError, match=r"^[^\n]+$") as caught:
        check_format(Path(name), runtime)
    assert says in str(caught.value)
