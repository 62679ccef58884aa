"""The report of every layer's SNR, which ``quantize`` and ``export`` write where asked to."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.errors import UsageError
from ghostdeploy.files import write_atomic
from ghostdeploy.quantize import calibrated_recipe
from ghostdeploy.report.quantization import FORMATS
from ghostdeploy.schema import Artifact


def check_layer_report(path: Path, precision: str) -> None:
    """Raise UsageError, before anything is made, for a report that cannot be written."""
    calibrated_recipe(precision)
    if path.suffix not in FORMATS:
        raise UsageError(f"a layer report ends in {', '.join(FORMATS)}, not {path.suffix!r}")


def write_layer_report(artifact: Artifact, path: Path) -> None:
    """Write every layer's SNR in graph order: .csv, .json, or .png (a plot).

    Raises UsageError for an artifact that has no error report.
    """
    made = artifact.quantization
    if made is None or made.error is None:
        raise UsageError(f"{artifact.path} has no error report")
    write_atomic(path, FORMATS[path.suffix](f"{artifact.name} {artifact.precision}", made.error))
