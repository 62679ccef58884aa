"""ghostdeploy: put GhostNetV2 on a phone and know, with proof, how fast it runs there.

    import ghostdeploy

    (file,) = ghostdeploy.export("ghostnetv2@1.0", formats=("tflite",))
    ghostdeploy.verify(file.artifact.path).parity.passed

Everything in ``__all__`` is loaded when it is first used; docs/python.md shows each function.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ghostdeploy.version import __version__

if TYPE_CHECKING:
    from ghostdeploy.api import bench, compare, export, gate, lint, quantize, verify
    from ghostdeploy.decision import GatePolicy
    from ghostdeploy.decision.budgets import Budget
    from ghostdeploy.errors import (
        CheckFailed,
        ConversionError,
        GhostdeployError,
        InputFileError,
        MeasurementError,
        MissingExtraError,
        UsageError,
    )
    from ghostdeploy.quantization import QuantizeOptions
    from ghostdeploy.schema import BenchParams, ExportOptions, InputShape, PhoneParams
    from ghostdeploy.zoo import make_spec

__all__ = [
    "BenchParams",
    "Budget",
    "CheckFailed",
    "ConversionError",
    "ExportOptions",
    "GatePolicy",
    "GhostdeployError",
    "InputFileError",
    "InputShape",
    "MeasurementError",
    "MissingExtraError",
    "PhoneParams",
    "QuantizeOptions",
    "UsageError",
    "__version__",
    "bench",
    "compare",
    "export",
    "gate",
    "lint",
    "make_spec",
    "quantize",
    "verify",
]

# module -> the names that come from it
_PLACES = {
    "ghostdeploy.api": ("bench", "compare", "export", "gate", "lint", "quantize", "verify"),
    "ghostdeploy.decision": ("GatePolicy",),
    "ghostdeploy.decision.budgets": ("Budget",),
    "ghostdeploy.errors": (
        "CheckFailed",
        "ConversionError",
        "GhostdeployError",
        "InputFileError",
        "MeasurementError",
        "MissingExtraError",
        "UsageError",
    ),
    "ghostdeploy.quantization": ("QuantizeOptions",),
    "ghostdeploy.schema": ("BenchParams", "ExportOptions", "InputShape", "PhoneParams"),
    "ghostdeploy.zoo": ("make_spec",),
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'ghostdeploy' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
