"""Accepted baselines: which model, on which device, run by what, accepted by whom and when.

A baseline is a JSON file ``reports/baselines/DEVICE/NAME.json``. The model itself lies where the
user keeps it, at a path or a URL, and its SHA-256 is checked before every use.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.bench.new_records import file_safe
from ghostdeploy.commands.gate.fetch import fetch_model
from ghostdeploy.decision.outcome import GitIdentity
from ghostdeploy.decision.policy import GatePolicy
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.files import open_input, read_input, write_atomic
from ghostdeploy.runners import Device, RuntimeEvidence
from ghostdeploy.schema import Artifact, BenchParams, DeviceIdentity
from ghostdeploy.typed_json import decode, to_json

ROOT = Path("reports/baselines")
CALIBRATION = "calibration.json"
SCHEMA, CALIBRATION_SCHEMA = "ghostdeploy.baseline/1", "ghostdeploy.calibration/1"
LFS = b"version https://git-lfs.github.com/spec/v1"
# What makes two phones one; an update of the system does not make another of it.
SAME_DEVICE = ("scheme", "serial", "model", "soc", "arch", "cores")


@dataclass(frozen=True)
class Baseline:
    """An accepted model. ``path`` is relative to the JSON file's folder unless it is absolute."""

    name: str
    device: str
    identity: DeviceIdentity
    sha256: str
    size_bytes: int
    params: BenchParams
    runtime: RuntimeEvidence
    accepted_at: str
    path: str = ""
    url: str = ""
    inputs: tuple[str, ...] = ()
    git: GitIdentity = GitIdentity()
    reason: str = ""
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise UsageError(f"a SHA-256 is 64 hexadecimal digits, not {self.sha256[:80]!r}")
        if bool(self.path) == bool(self.url):
            raise UsageError("a baseline's model lies at a path or at a URL, and not at both")

    def check_device(self, identity: DeviceIdentity) -> None:
        """Raise MeasurementError for another device than the one it was accepted on."""
        for name in SAME_DEVICE:
            was, now = getattr(self.identity, name), getattr(identity, name)
            if was != now:
                raise MeasurementError(
                    f"another device than the accepted one: its {name} was {was!r}, is {now!r};"
                    " to take this one from now on run ghostdeploy gate accept"
                )

    def check_runtime(self, runtime: RuntimeEvidence) -> None:
        """Raise UsageError for another program than it was accepted with."""
        if runtime.sha256 != self.runtime.sha256:
            raise UsageError(
                f"the baseline was accepted with {_runtime(self.runtime)}, this is"
                f" {_runtime(runtime)}: use that, or run ghostdeploy gate accept again"
            )


@dataclass(frozen=True)
class DeviceCalibration:
    """What an A/A run taught of a device, in shares: how launches vary, and what that resolves."""

    device: str
    identity: DeviceIdentity
    noise: float
    resolution: float
    valid_pairs: int
    measured_at: str
    schema: str = CALIBRATION_SCHEMA


def path_of(name: str, device: Device, root: Path = ROOT) -> Path:
    """Return the file of the baseline called ``name``."""
    return folder_of(device, root) / f"{file_safe(name)}.json"


def folder_of(device: Device, root: Path = ROOT) -> Path:
    """Return the folder of a device's baselines."""
    return root / file_safe(str(device))


def find_baseline(device: Device, root: Path = ROOT) -> Path:
    """Return the file of a device's only baseline. Raises UsageError for none, or several."""
    folder = folder_of(device, root)
    found = [p for p in sorted(folder.glob("*.json")) if p.name != CALIBRATION]
    if len(found) > 1:
        names = " and ".join(p.name for p in found[:3])
        raise UsageError(f"{folder} holds {len(found)} baselines, {names}: name one by --baseline")
    if not found:
        others = sorted(p.name for p in root.glob("*") if p.is_dir())
        known = f"; there are some for {', '.join(others)}" if others else ""
        raise UsageError(
            f"no baseline is accepted for {device}{known}: run ghostdeploy gate accept FILE"
            f" --device {device}"
        )
    return found[0]


def read_baseline(path: Path) -> Baseline:
    """Read an accepted baseline. Raises InputFileError for what is not one."""
    return decode(path, Baseline, _json(path, SCHEMA))


def read_calibration(device: Device, root: Path = ROOT) -> DeviceCalibration | None:
    """Read what a device's calibration taught, None where there was none.

    Raises InputFileError for a file that is damaged.
    """
    path = folder_of(device, root) / CALIBRATION
    if not path.exists():
        return None
    return decode(path, DeviceCalibration, _json(path, CALIBRATION_SCHEMA))


def write_calibration(calibration: DeviceCalibration, root: Path = ROOT) -> Path:
    """Keep what a calibration taught, and return the file."""
    path = folder_of(Device.parse(calibration.device), root) / CALIBRATION
    write_atomic(path, to_json(calibration))
    return path


def check_policy(policy: GatePolicy, calibration: DeviceCalibration | None) -> None:
    """Raise UsageError for a policy finer than the device can resolve."""
    if calibration is None or policy.can_decide(calibration.noise):
        return
    least = policy.tolerance + policy.resolution(calibration.noise)
    raise UsageError(
        f"{calibration.device} cannot tell {policy.delta:.1%}: in its calibration launches varied"
        f" by {calibration.noise:.1%}, which catches {least:.1%} nine times in ten: raise --delta"
        " above that, or quieten the device and run ghostdeploy gate --calibrate"
    )


def open_baseline(baseline: Baseline, path: Path) -> Artifact:
    """Open the baseline's model and check that it is the accepted one. ``path`` is the JSON file.

    Raises InputFileError where it is missing, changed, or a Git LFS pointer.
    """
    file = (
        fetch_model(baseline.url, baseline.sha256) if baseline.url else path.parent / baseline.path
    )
    artifact = open_model(Path(os.path.normpath(file)))
    if artifact.sha256 != baseline.sha256:
        raise InputFileError(
            f"{artifact.path}: is not the accepted baseline: its SHA-256 is"
            f" {artifact.sha256[:12]}…, accepted was {baseline.sha256[:12]}…; restore it, or run"
            " ghostdeploy gate accept"
        )
    return artifact


def open_model(path: Path) -> Artifact:
    """Open a model file. Raises InputFileError for what is not one, a Git LFS pointer too."""
    with open_input(path) as file:
        if file.read(len(LFS)) == LFS:
            raise InputFileError(
                f"{path}: is a Git LFS pointer, not the model; run: git lfs pull --include {path}"
            )
    return artifact_of(path)


def _json(path: Path, schema: str) -> object:
    try:
        data = json.loads(read_input(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: not JSON, or cut short") from error
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise InputFileError(f"{path}: has not the schema {schema}")
    return data


def _runtime(runtime: RuntimeEvidence) -> str:
    return f"{runtime.name} {runtime.version} ({runtime.sha256[:12]}…)".replace("  ", " ")
