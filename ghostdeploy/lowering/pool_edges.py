"""Average pools of ONNX without attributes that mean nothing, which onnx2tf 2 misreads.

It turns ``ceil_mode`` with ``count_include_pad`` into zeros that count, also where ONNX counts
none: beyond the input and its padding there is nothing.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper

SINCE = 19  # onnxruntime counts what lies beyond the input in models of older opsets


def without_moot_edges(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model, changed in place: no ``count_include_pad`` where there is no padding."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        if node.op_type != "AveragePool" or versions.get(node.domain, 0) < SINCE:
            continue
        told = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if told.get("count_include_pad") and not any(_padding(told)):
            kept = [a for a in node.attribute if a.name != "count_include_pad"]
            del node.attribute[:]
            node.attribute.extend(kept)
    return model


def _padding(told: dict[str, Any]) -> list[int]:
    automatic = told.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")
    return [1] if automatic else list(told.get("pads", ()))
