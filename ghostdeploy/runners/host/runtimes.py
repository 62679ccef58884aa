"""The runtimes that can run a model on this machine, as a literal table."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.runners import RuntimeEvidence
from ghostdeploy.runners.model_file import model_format
from ghostdeploy.schema import AUTO, BenchParams


@dataclass(frozen=True)
class Runtime:
    """One runtime and where its kernels are.

    ``libraries`` are patterns, in the package's folder, of the files that hold the kernels.
    ``package`` is "" for TFLite's own program.
    """

    format: str
    package: str = ""
    distribution: str = ""
    libraries: tuple[str, ...] = ()


RUNTIMES: dict[str, Runtime] = {
    "litert": Runtime(
        "tflite",
        "ai_edge_litert",
        "ai-edge-litert",
        ("libpywrap_litert_common*", "_pywrap_tensorflow_interpreter_wrapper*"),
    ),
    "tflite-runtime": Runtime(
        "tflite",
        "tflite_runtime",
        "tflite-runtime",
        ("_pywrap_tensorflow_interpreter_wrapper*",),
    ),
    "onnxruntime": Runtime(
        "onnx", "onnxruntime", "onnxruntime", ("capi/onnxruntime_pybind11_state*",)
    ),
    "benchmark_model": Runtime("tflite"),
}


def find_runtime(name: str) -> Runtime:
    """Return the runtime called ``name``. Raises UsageError with the nearest names."""
    if name in RUNTIMES:
        return RUNTIMES[name]
    near = difflib.get_close_matches(name, RUNTIMES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join((AUTO, *RUNTIMES))}"
    raise UsageError(f"no runtime is called {name!r}; {hint}")


def settle_runtime(params: BenchParams, path: Path) -> BenchParams:
    """Return ``params`` with the first runtime of ``path``'s format where they leave it open.

    Raises InputFileError for a file that no runtime runs.
    """
    if params.runtime != AUTO:
        return params
    kind = model_format(path)
    return replace(params, runtime=next(n for n, row in RUNTIMES.items() if row.format == kind))


def check_format(path: Path, name: str) -> None:
    """Raise UsageError where the runtime ``name`` does not run files like ``path``."""
    row, kind = find_runtime(name), model_format(path)
    if row.format != kind:
        others = " or ".join(n for n, other in RUNTIMES.items() if other.format == kind)
        raise UsageError(
            f"{path}: {name} runs .{row.format} files; for .{kind} use --runtime {others}"
        )


def find_evidence(params: BenchParams) -> RuntimeEvidence:
    """Return what ``params.runtime`` is on this machine, without loading it.

    Raises MissingExtraError where it is not installed and UsageError for no such program.
    """
    row = find_runtime(params.runtime)
    if not row.package:
        program = find_local_program(params)
        origin = "" if params.benchmark_model else f"downloaded by litert-cli: {program}"
        return RuntimeEvidence(params.runtime, "", file_sha256(program), origin)
    spec = importlib.util.find_spec(row.package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(row.distribution, "local")
    library = _library(Path(spec.submodule_search_locations[0]), row.libraries)
    return RuntimeEvidence(
        params.runtime, _version(row.distribution), file_sha256(library) if library else ""
    )


def find_local_program(params: BenchParams) -> Path:
    """Return the path of TFLite's own program for this machine.

    That is what ``params`` name, else the one that litert-cli downloaded. Raises UsageError as
    find_benchmark_program does.
    """
    downloaded = locate_litert_cli_program()
    if not params.benchmark_model and downloaded.is_file():
        return find_benchmark_program(replace(params, benchmark_model=str(downloaded)))
    return find_benchmark_program(params)


def find_benchmark_program(params: BenchParams) -> Path:
    """Return the path of TFLite's own program that ``params`` names.

    Raises UsageError where it names none, or one that cannot be run.
    """
    if not params.benchmark_model:
        raise UsageError("--runtime benchmark_model needs the program: --benchmark-model FILE")
    program = Path(params.benchmark_model)
    if not program.is_file():
        raise UsageError(f"{program}: there is no such program")
    if not os.access(program, os.R_OK | os.X_OK):
        raise UsageError(f"{program}: cannot be read and executed; run: chmod +rx {program}")
    return program


def locate_litert_cli_program() -> Path:
    """Return where litert-cli (0.2.1) keeps the benchmark_model that it downloads at first use.

    Its ``commands/benchmark/desktop.py`` names the folder by system and processor, and knows
    neither $XDG_CACHE_HOME nor a version.
    """
    machine = platform.machine().lower()
    processor = {"aarch64": "arm64", "amd64": "x86_64"}.get(machine, machine)
    folder = Path.home() / ".cache" / "litert-cli" / "binaries" / f"linux_{processor}"
    return folder / "benchmark_model"


def _library(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    for pattern in patterns:
        found = sorted(p for p in folder.glob(pattern) if p.is_file())
        if found:
            return found[0]
    return None


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:  # built from source, or a renamed wheel
        return ""
