"""``ghostdeploy gate accept``: from now on this model is the baseline on this device."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.export import form_of
from ghostdeploy.commands.gate.baselines import ROOT, Baseline, path_of, read_baseline
from ghostdeploy.commands.gate.plan import describe_inputs, open_or_export
from ghostdeploy.commands.gate.request import NamedModel
from ghostdeploy.commands.git import identify_commit
from ghostdeploy.commands.inputs import settle_params
from ghostdeploy.errors import MeasurementError
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.runners import Access, Device, open_runner
from ghostdeploy.runners.device_queue import hold_device
from ghostdeploy.schema import Artifact, BenchParams, ForeignSpec
from ghostdeploy.typed_json import to_json


@dataclass(frozen=True)
class AcceptRequest:
    """The model to accept, and where and why.

    ``url`` is where others will find the file, "" where its path is in the repository. ``root`` is
    the folder of the baselines, ``wait_s`` how long to queue for the device.
    """

    model: NamedModel
    device: Device
    params: BenchParams
    name: str = ""
    url: str = ""
    reason: str = ""
    root: Path = ROOT
    wait_s: float = 3600.0
    adb: str = ""


@dataclass(frozen=True)
class Acceptance:
    """A baseline that was written to ``path``; ``replaced`` is the one that had the name before."""

    model: str
    path: Path
    baseline: Baseline
    replaced: Baseline | None


def accept(request: AcceptRequest, progress: Progress = ignore_progress) -> Acceptance:
    """Prove by one launch that the device runs the model, then write it down as the baseline.

    Raises UsageError and InputFileError for what cannot run, and MeasurementError for a device
    that does not answer.
    """
    artifact = open_or_export(request.model, request.device, request.params, progress)
    model = Path(artifact.path)
    params = settle_params(model, request.params)
    name = request.name or name_baseline(artifact)
    path = path_of(name, request.device, request.root)
    replaced = read_baseline(path) if path.exists() else None
    ensure_writable(path.parent)

    def waiting(holder: str) -> None:
        progress(0, 0, f"waiting for {request.device}, in use by {holder}")

    access = Access(wait_s=request.wait_s, adb=request.adb)
    with (
        hold_device(str(request.device), request.wait_s, waiting),
        closing(open_runner(request.device, params, access)) as runner,
    ):
        progress(0, 1, f"{name}: proving launch")
        launch = runner.launch(model, params)
        identity, runtime = runner.identity(), runner.runtime(params)
    if launch.summary is None and launch.instructions is None:
        raise MeasurementError(f"{model}: {launch.why_not}")
    baseline = Baseline(
        name=name,
        device=str(request.device),
        identity=identity,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        params=params,
        runtime=runtime,
        accepted_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        path="" if request.url else _path_from(path.parent, model),
        url=request.url,
        inputs=describe_inputs(model),
        git=identify_commit(model.absolute().parent),
        reason=request.reason,
    )
    write_atomic(path, to_json(baseline))
    return Acceptance(artifact.path, path, baseline, replaced)


def name_baseline(artifact: Artifact) -> str:
    """Return what a model's baseline is called by default.

    That is the file's name; a network has its own, with the precision and what else makes it
    another file that is judged by itself: one must not take the other's place. An edited network of
    the user's takes its former self's.
    """
    spec, export = artifact.spec, artifact.export
    if spec is None:
        return artifact.name.removesuffix(f".{artifact.format}")
    words = (
        (spec.stem if isinstance(spec, ForeignSpec) else spec.name, True),
        (artifact.precision, artifact.precision != "fp32"),
        ("features", export.features),
        ("softmax", export.softmax),
        ("rgb255", export.embed_preprocessing),
        (form_of(export).title, artifact.format == "tflite"),
    )
    return "_".join(word for word, wanted in words if word and wanted)


def _path_from(folder: Path, model: Path) -> str:
    """Return ``model`` as seen from ``folder``, so that a clone elsewhere finds it too."""
    return str(model) if model.is_absolute() else Path(os.path.relpath(model, folder)).as_posix()
