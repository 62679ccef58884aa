"""Processes that start with the libraries imported: a command's own work is all that they cost.

A fork server (of multiprocessing) imports them once. Each process has an environment, a working
directory, standard output and error of its own, as a fresh one does; what hangs on an interpreter's
start (the hash seed, the locale, what can be imported) takes a fresh one, and ``may_start_warm``
tells so.
"""

from __future__ import annotations

import atexit
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

# What commands import sooner or later; what is not installed is left out.
LIBRARIES = (
    "torch", "torch.onnx", "torch.export", "torch._dynamo", "torch.utils.flop_counter",
    "torch.onnx._internal.exporter._core", "onnxscript", "onnxscript.optimizer", "onnx",
    "onnx.shape_inference", "onnxruntime", "ai_edge_litert.interpreter",
    "ai_edge_litert.schema_py_generated", "safetensors.torch", "matplotlib.pyplot", "jinja2",
    "rich.console", "rich.table", "rich.progress", "PIL.Image", "ghostdeploy.cli.app",
)  # fmt: skip
# Variables that an interpreter or a library reads when it starts.
READ_EARLY = ("PYTHON", "LC_", "LANG", "OMP_", "OPENBLAS_", "MPL", "TF_", "TMPDIR", "LD_")


@cache
def fork_server() -> tuple[ForkServerContext, dict[str, str]]:
    """The context of the server, which starts with the first process, and its environment."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    return context, early(os.environ)


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that is read at the start."""
    return {name: value for name, value in environment.items() if name.startswith(READ_EARLY)}


def may_start_warm(environment: Mapping[str, str]) -> bool:
    return early(environment) == fork_server()[1]


def run_warm(
    module: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float,
) -> subprocess.CompletedProcess[str]:
    """What ``python -m module words`` does. Raises TimeoutExpired after it was killed."""
    context, _ = fork_server()
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        paths = Path(name) / "out", Path(name) / "err"
        process = context.Process(
            target=run_module, args=(module, list(words), dict(environment), str(folder), paths)
        )
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout_s)
        out, err = (path.read_text(encoding="utf-8") for path in paths)
        return subprocess.CompletedProcess(
            [sys.executable, "-m", module, *words], process.exitcode, out, err
        )


def run_module(
    module: str,
    words: list[str],
    environment: dict[str, str],
    folder: str,
    paths: tuple[Path, Path],
) -> None:
    """Become a process of ``module``: this runs in the new process, and ends as it does."""
    for number, path in enumerate(paths, start=1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = [folder, *(entry for entry in sys.path if entry not in ("", folder))]
    sys.argv = [module, *words]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
