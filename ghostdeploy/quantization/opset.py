"""ONNX files of old operator sets, raised to one that has what quantization needs."""

from __future__ import annotations

import onnx
from onnx import version_converter

from ghostdeploy.errors import UsageError, error_line

PER_CHANNEL = 13  # the first with QuantizeLinear's axis (onnx's Operators.md, since version 13)
PER_TENSOR = 10  # the first with QuantizeLinear


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of ONNX's own operators that a model is written in; 0 without."""
    return max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)


def needed_opset(model: onnx.ModelProto, *, per_channel: bool) -> int | None:
    """Return the operator set that ``model`` has to be raised to, None where its own will do."""
    least = PER_CHANNEL if per_channel else PER_TENSOR
    return PER_CHANNEL if opset_of(model) < least else None


def raise_opset(model: onnx.ModelProto, version: int) -> onnx.ModelProto:
    """Return ``model`` as onnx's converter writes it in operator set ``version``.

    It is not always the same function (Resize from 10, Softmax up to 12): compare the outputs.
    Raises UsageError where the converter cannot.
    """
    try:
        raised: onnx.ModelProto = version_converter.convert_version(model, version)
    except Exception as error:  # it raises RuntimeError, ValueError and its own
        raise UsageError(refusal(opset_of(model), version, error_line(error))) from error
    return raised


def refusal(old: int, version: int, why: str) -> str:
    """Return one line on a model that cannot be raised, and the way without."""
    way = f"give one of operator set {version} or later"
    if old >= PER_TENSOR:
        way = f"use --per-tensor, or {way}"
    return f"operator set {old} is too old, and raising it to {version} fails ({why}); {way}"
