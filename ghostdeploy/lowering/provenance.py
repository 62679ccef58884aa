"""What an artifact was made from, as one key: the same key means the same bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ghostdeploy.schema import ExportOptions, ForeignSpec, ModelSpec
from ghostdeploy.version import __version__

TOOLS = (
    "torch",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "onnx2tf",
    "tensorflow",
    "ai-edge-litert",
    "numpy",
)
# The code whose change may change an artifact.
SOURCES = (
    "zoo",
    "sources",
    "commands/export",
    "commands/proof.py",
    "commands/quantize",
    "lowering",
    "linting",
    "quantization",
    "images",
    "flatbuffer.py",
    "litert.py",
    "tensors.py",
    "traces.py",
)


@cache
def tool_versions() -> dict[str, str]:
    """Return the versions of what takes part in an export; what is not installed is left out."""
    found = {"ghostdeploy": __version__}
    for tool in TOOLS:
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:
            continue
    return found


@cache
def source_digest() -> str:
    """Return the SHA-256 of our code that makes artifacts: an edited model is exported anew."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def content_key(
    spec: ModelSpec | ForeignSpec,
    export: ExportOptions,
    weights: str,
    format: str,
    precision: str,
    quantized: object = None,
) -> str:
    """Return the SHA-256 of everything that decides the artifact's bytes.

    ``quantized`` is how a calibrated precision is made, and on which images.
    """
    parts = {
        "spec": asdict(spec),
        "export": asdict(export),
        "weights": weights,
        "format": format,
        "precision": precision,
        "quantized": repr(quantized),
        "tools": tool_versions(),
        "source": source_digest(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
