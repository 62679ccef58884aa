"""Finding the runner and the runtime that were asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.runners import RUNNERS, open_runner
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


def test_importing_the_runners_imports_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules)\n"
        "import ghostdeploy.runners.local, ghostdeploy.commands.bench.session\n"
        "import ghostdeploy.runners.host.measuring_child\n"
        "heavy = {'numpy', 'onnxruntime', 'onnx', 'tensorflow', 'torch', 'click', 'android_bench',"
        " 'ai_edge_litert', 'tflite_runtime'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
