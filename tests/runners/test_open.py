"""Finding the runner and the runtime that were asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.runners import RUNNERS, open_runner
from ghostdeploy.runners.runtimes import RUNTIMES, check_format, evidence
from ghostdeploy.schema import BenchParams

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("scheme", RUNNERS)
def test_every_row_names_a_class_with_the_protocols_methods(scheme):
    module, _, name = RUNNERS[scheme].partition(":")
    runner = getattr(import_module(module), name)
    for method in ("identity", "state", "runtime", "launch", "close"):
        assert callable(getattr(runner, method))


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("locla", "no device is called 'locla'; did you mean local?"),
        ("Local", "did you mean local?"),
        ("ssh:phone", "no device is called 'ssh:phone'; there is local, adb, fake, qemu"),
        ("", "no device is called ''"),
        ("local:0", "local takes no address, not '0'"),
    ],
)
def test_an_unknown_device_is_refused_with_near_names(device, says):
    with pytest.raises(UsageError, match=r"^[^\n]+$") as caught:
        open_runner(device, BenchParams())
    assert says in str(caught.value)


def test_open_runner_refuses_what_cannot_be_measured():
    with pytest.raises(UsageError, match="did you mean litert"):
        open_runner("local", BenchParams(runtime="litrt"))
    with pytest.raises(UsageError, match="core 4095 is not one this process may use"):
        open_runner("local", BenchParams(cpus="4095"))
    with pytest.raises(UsageError, match="--benchmark-model FILE"):
        open_runner("local", BenchParams(runtime="benchmark_model"))


@pytest.mark.parametrize("name", [n for n, row in RUNTIMES.items() if row.package])
def test_evidence_is_of_the_installed_wheel(name):
    row = RUNTIMES[name]
    got = evidence(BenchParams(runtime=name))
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
        assert evidence(BenchParams(runtime=name)).sha256 in digests


MISSING = """
import sys
sys.path.insert(0, sys.argv[1])
from ghostdeploy.errors import MissingExtraError
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams
for runtime in ("litert", "tflite-runtime", "onnxruntime"):
    try:
        open_runner("local", BenchParams(runtime=runtime))
    except MissingExtraError as error:
        print(error)
"""


def test_without_the_packages_the_pip_command_is_named():
    # -I -S: the same Python, without its site-packages
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MISSING, str(ROOT)], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        f"{name} is not installed; run: pip install 'ghostdeploy[local]'"
        for name in ("ai-edge-litert", "tflite-runtime", "onnxruntime")
    ], done.stderr


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


def test_importing_the_runners_imports_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules)\n"
        "import ghostdeploy.runners.local, ghostdeploy.commands.bench.session\n"
        "import ghostdeploy.runners.launch\n"
        "heavy = {'numpy', 'onnxruntime', 'onnx', 'tensorflow', 'torch', 'click', 'android_bench',"
        " 'ai_edge_litert', 'tflite_runtime'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
