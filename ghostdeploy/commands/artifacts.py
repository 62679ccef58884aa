"""Model files and their sidecars: read, described, written, and known by their weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ghostdeploy.commands.external_data import external_bytes
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError
from ghostdeploy.files import write_atomic, write_together
from ghostdeploy.records import read_artifact
from ghostdeploy.runners.model_file import check_model_file, model_format
from ghostdeploy.schema import Artifact
from ghostdeploy.typed_json import to_json

SIDECAR_SUFFIX = ".json"


def sidecar_path(path: Path) -> Path:
    """Return where a model file's description lies: ``NAME.tflite.json``."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def read_own_sidecar(path: Path, sha256: str) -> Artifact | None:
    """Return what the sidecar says of the file ``path``, None unless it is of these very bytes."""
    try:
        known = read_artifact(sidecar_path(path))
    except InputFileError:
        return None
    return known if known.sha256 == sha256 else None


def artifact_of(path: Path) -> Artifact:
    """Return the artifact of a model file, with what its sidecar knows of this very file.

    Raises InputFileError for a file that is missing, empty, damaged or of another kind.
    """
    check_model_file(path)
    digest = file_sha256(path)
    known = read_own_sidecar(path, digest)
    if known is None:
        format = model_format(path)
        size = path.stat().st_size + (external_bytes(path) if format == "onnx" else 0)
        return Artifact(str(path), digest, size, format, "unknown")
    return replace(known, path=str(path))


def write_artifact(path: Path, data: bytes, artifact: Artifact) -> Artifact:
    """Write a model file and its sidecar, and return the artifact with the file's real path.

    Raises UsageError where the folder cannot be written or is full.
    """
    # Between the two moves the old sidecar stands beside the new file: its hash tells them apart.
    write_together({path: data, sidecar_path(path): to_json(artifact)})
    return replace(artifact, path=str(path))


def write_sidecar(path: Path, artifact: Artifact) -> None:
    """Write what is known of the model file ``path``, which stays. Raises as ``write_artifact``."""
    write_atomic(sidecar_path(path), to_json(replace(artifact, path=path.name)))


def weights_identity(weights: Path | None, seed: int) -> str:
    """Return how weights are known: ``sha256:…`` of a checkpoint, ``seed:N`` of seeded ones.

    Raises InputFileError for a file that cannot be read.
    """
    if weights is None:
        return f"seed:{seed}"
    if weights.is_dir():
        raise InputFileError(f"{weights} is a folder; --weights takes one checkpoint file")
    return f"sha256:{file_sha256(weights)}"
