"""``ghostdeploy gate accept``: from now on this model is the baseline on this device."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.gate.baselines import ROOT, Baseline, path_of, read_baseline
from ghostdeploy.commands.gate.request import inputs_of
from ghostdeploy.commands.git import git_identity
from ghostdeploy.errors import MeasurementError
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.progress import Progress, silent
from ghostdeploy.runners import Access, open_runner
from ghostdeploy.runners.device_queue import hold_device
from ghostdeploy.schema import Artifact, BenchParams
from ghostdeploy.typed_json import to_json


@dataclass(frozen=True)
class Acceptance:
    """``url``: where others will find the file; "" where its path is in the repository."""

    model: Artifact
    device: str
    params: BenchParams
    name: str = ""
    url: str = ""
    reason: str = ""
    root: Path = ROOT
    wait_s: float = 3600.0
    adb: str = ""


@dataclass(frozen=True)
class Accepted:
    """``replaced`` is the baseline that had the name before."""

    path: Path
    baseline: Baseline
    replaced: Baseline | None


def accept(request: Acceptance, progress: Progress = silent) -> Accepted:
    """One launch proves that the device runs it; then the baseline is written.

    Raises UsageError and InputFileError for what cannot run, and MeasurementError for a device
    that does not answer.
    """
    model = Path(request.model.path)
    name = request.name or request.model.name.removesuffix(f".{request.model.format}")
    path = path_of(name, request.device, request.root)
    replaced = read_baseline(path) if path.exists() else None
    ensure_writable(path.parent)

    def waiting(holder: str) -> None:
        progress(0, 0, f"waiting for {request.device}, in use by {holder}")

    access = Access(wait_s=request.wait_s, adb=request.adb)
    with (
        hold_device(request.device, request.wait_s, waiting),
        closing(open_runner(request.device, request.params, access)) as runner,
    ):
        progress(0, 1, f"{name}: proving launch")
        launch = runner.launch(model, request.params)
        identity, runtime = runner.identity(), runner.runtime(request.params)
    if launch.summary is None and launch.instructions is None:
        raise MeasurementError(f"{model}: {launch.why_not}")
    baseline = Baseline(
        name=name,
        device=request.device,
        identity=identity,
        sha256=request.model.sha256,
        size_bytes=request.model.size_bytes,
        params=request.params,
        runtime=runtime,
        accepted_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        path="" if request.url else _from(path.parent, model),
        url=request.url,
        inputs=inputs_of(model),
        git=git_identity(model.absolute().parent),
        reason=request.reason,
    )
    write_atomic(path, to_json(baseline))
    return Accepted(path, baseline, replaced)


def _from(folder: Path, model: Path) -> str:
    """``model`` as seen from ``folder``, so that a clone elsewhere finds it too."""
    return str(model) if model.is_absolute() else Path(os.path.relpath(model, folder)).as_posix()
