"""The functions of ``import ghostdeploy``: one request each, run, and its result returned.

They print nothing and never exit; what goes wrong is raised from the tree in ``errors``. A model is
``ARCH[:VARIANT][@WIDTH]`` as on the command line, a spec from ``make_spec``, or a model file.
``progress`` is called as ``progress(done, total, text)``; within a call the total stays the same,
and what is done never gets less.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from ghostdeploy.commands.bench.comparison import require_valid
from ghostdeploy.commands.export import ExportRequest, ExportResult
from ghostdeploy.commands.export import export as run_export
from ghostdeploy.commands.export.request import FORMATS
from ghostdeploy.commands.gate.plan import plan_gate
from ghostdeploy.commands.gate.request import GateRequest, NamedModel
from ghostdeploy.commands.gate.run import run_gate
from ghostdeploy.commands.lint import lint_files
from ghostdeploy.commands.measure import Measurement, MeasureRequest, choose_format, measure
from ghostdeploy.commands.quantize.file import QuantizeRequest, quantize_file
from ghostdeploy.commands.targets import Network, SpecDefaults, parse_network, parse_target
from ghostdeploy.commands.verify import Verification, VerifyRequest
from ghostdeploy.commands.verify import verify as run_verification
from ghostdeploy.decision import GatePolicy
from ghostdeploy.decision.budgets import Budget
from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.quantization import QuantizeOptions
from ghostdeploy.runners import Device, choose_runtime
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    Comparison,
    ExportOptions,
    GraphReport,
    ModelSpec,
    Normalization,
)

Model: TypeAlias = str | Path | ModelSpec
File: TypeAlias = str | Path


def export(
    model: str | ModelSpec = "ghostnetv2",
    *,
    formats: Sequence[str] = FORMATS,
    precision: str = "fp32",
    weights: File | None = None,
    seed: int = 0,
    export: ExportOptions = ExportOptions(),
    out: File = Path("models"),
    force: bool = False,
    quantize: QuantizeOptions = QuantizeOptions(),
    progress: Progress = ignore_progress,
) -> list[ExportResult]:
    """Export a model, proven equal to its torch network, and return one result a format.

    The arguments are ``ExportRequest``'s fields. Raises UsageError for what cannot be exported,
    ConversionError where the converter fails, and CheckFailed for a file that is another function.
    """
    spec = parse_network(model, SpecDefaults()) if isinstance(model, str) else model
    if isinstance(spec, Path):
        spec = parse_network(str(spec), SpecDefaults())
    request = ExportRequest(
        spec=spec,
        formats=tuple(formats),
        precision=precision,
        weights=_path(weights),
        seed=seed,
        export=export,
        out=Path(out),
        force=force,
        quantize=quantize,
    )
    return run_export(request, progress)


def verify(
    file: File,
    *,
    weights: File | None = None,
    model: str | ModelSpec | None = None,
    precision: str = "",
    seed: int = 0,
) -> Verification:
    """Compare a model file with its torch network again, tensor by tensor.

    ``model`` is needed for a file that does not say which network it is. The comparison is
    returned also where it fails: see its ``parity.passed``. Raises InputFileError for what is not a
    model file, UsageError for one that is not known.
    """
    spec = parse_network(model, SpecDefaults()) if isinstance(model, str) else model
    return run_verification(VerifyRequest(Path(file), _path(weights), spec, precision, seed))


def lint(
    *files: File, budget_mb: float | None = None, measure: bool = True
) -> dict[str, GraphReport]:
    """Find what in each model file a phone will dislike, and return a report a file by its path.

    ``measure`` loads TFLite files into LiteRT to count XNNPACK's partitions; ``budget_mb`` is the
    memory (10⁶ bytes) that weights and live activations may take. Raises InputFileError for what
    is not a model file.
    """
    linted = lint_files([Path(file) for file in files], budget_mb=budget_mb, measure=measure)
    return {one.path: one.report for one in linted}


def quantize(
    file: File,
    *,
    precision: str = "int8",
    options: QuantizeOptions = QuantizeOptions(),
    out: File | None = None,
    normalization: Normalization | None = None,
    progress: Progress = ignore_progress,
) -> Artifact:
    """Quantize a float model file, and return the new one with what it lost.

    For a model of the zoo, ``export`` with a ``precision`` does it. ``normalization`` is what a
    file expects of pixels that does not say it itself. Raises InputFileError for what
    is not a float model of one image, UsageError for options that do not go together.
    """
    request = QuantizeRequest(Path(file), precision, options, _path(out), normalization)
    return quantize_file(request, progress)


def bench(
    *models: Model,
    device: str = "local",
    params: BenchParams = BenchParams(),
    records: File = Path("reports"),
    resume: bool = False,
    wait_s: float = 0.0,
    adb: str = "",
    progress: Progress = ignore_progress,
) -> Measurement:
    """Measure models in one session, interleaved, and return the records of every place.

    A model of the zoo is exported first, to ``models/``. On ``qemu:CORE`` the records hold
    instructions instead of times. Raises UsageError for what cannot be measured, MeasurementError
    where nothing could be.
    """
    on = Device.parse(device)
    params = choose_runtime(on, params)
    sources = tuple(_source(model, on, params) for model in models)
    request = MeasureRequest(sources, on, params, Path(records), resume, wait_s, adb)
    found = measure(request, progress, lambda text: None)
    if not found.records:
        raise MeasurementError("; ".join(found.failures))
    require_valid(found.records)
    return found


def compare(
    *models: Model,
    device: str = "local",
    params: BenchParams = BenchParams(),
    records: File = Path("reports"),
    resume: bool = False,
    wait_s: float = 0.0,
    adb: str = "",
    progress: Progress = ignore_progress,
) -> list[Comparison]:
    """Measure models as ``bench`` does, and return a row for each: its latency and its ratio.

    Ratios are to the first model, and the paper's figures stand beside. Without ``models`` they
    are the three of the paper's Table 1. Raises as ``bench``, and UsageError for several devices.
    """
    from ghostdeploy.commands.compare import TABLE_1

    found = bench(
        *(models or TABLE_1),
        device=device,
        params=params,
        records=records,
        resume=resume,
        wait_s=wait_s,
        adb=adb,
        progress=progress,
    )
    if len(found.outcomes) > 1:
        raise UsageError(f"compare takes one device, not {len(found.outcomes)}; use bench")
    (rows,) = found.compare().values()
    return rows


def gate(
    candidate: Model,
    *,
    baseline: File | None = None,
    device: str = "local",
    params: BenchParams = BenchParams(),
    policy: GatePolicy | None = None,
    budgets: Sequence[Budget] = (),
    name: str = "",
    out: File = Path("reports"),
    wait_s: float = 3600.0,
    adb: str = "",
    progress: Progress = ignore_progress,
) -> GateRun:
    """Decide whether a candidate is slower than a baseline on a device, and return the verdict.

    ``baseline`` is a model file or an accepted baseline (.json); without it the one that is
    accepted on the device counts, unless there are ``budgets`` to judge by alone. Nothing is
    added to the history. Raises UsageError and InputFileError for what cannot be gated.
    """
    on = Device.parse(device)
    params = choose_runtime(on, params)
    request = GateRequest(
        candidate=NamedModel(str(candidate), _source(candidate, on, params)),
        device=on,
        params=params,
        baseline=_path(baseline),
        budgets_alone=baseline is None and bool(budgets),
        policy=policy or GatePolicy(),
        budgets=tuple(budgets),
        name=name,
        out=Path(out),
        wait_s=wait_s,
        adb=adb,
    )
    planning, measuring = divide(progress, (1.0, 3.0))
    return run_gate(plan_gate(request, planning), measuring)


def _parse(model: Model) -> Network | Path:
    return parse_target(model, SpecDefaults()) if isinstance(model, str) else model


def _source(model: Model, device: Device, params: BenchParams) -> Path | ExportRequest:
    """Return a file as it is, and for a network how it is exported for the runtime."""
    parsed = _parse(model)
    if isinstance(parsed, Path):
        return parsed
    return ExportRequest(parsed, formats=(choose_format(device, params),))


def _path(given: File | None) -> Path | None:
    return None if given is None else Path(given)
