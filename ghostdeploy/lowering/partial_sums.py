"""Sums that a converter adds up in another order: their steps are other tensors, and no defect.

(a + b) + c may become a + (b + c); the tensor that is then called after ``a + b`` is another one.
Whether the step is right is told by the sum that it goes into: a step that were as wrong as it
looks would move it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray


def drop_reordered(
    errors: Mapping[str, float],
    values: Mapping[str, NDArray[np.float32]],
    model: onnx.ModelProto,
    tolerance: float,
) -> dict[str, float]:
    """Return ``errors`` (relative L2 by value) without the steps of sums that are right as a whole.

    ``values`` are the network's own. A step stays where its error would not show in the sum.
    """
    sums = _sums_of(model)
    kept = {}
    for name, error in errors.items():
        whole = _follow(name, sums, errors, tolerance)
        if error <= tolerance or not whole or name not in values or whole not in values:
            kept[name] = error
            continue
        share = _norm(values[name]) / max(_norm(values[whole]), 1e-30)
        if error * share <= tolerance:
            kept[name] = error
    return kept


def _follow(
    name: str, sums: Mapping[str, str], errors: Mapping[str, float], tolerance: float
) -> str:
    """Return the first sum behind a step that was compared and is right, "" without one."""
    name = sums.get(name, "")
    while name and not errors.get(name, np.inf) <= tolerance:
        name = sums.get(name, "")
    return name


def _sums_of(model: onnx.ModelProto) -> dict[str, str]:
    """Return the sum that reads a sum, where nothing else does, by the latter's name."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    ends = {output.name for output in model.graph.output}
    made = [n.output[0] for n in model.graph.node if n.op_type == "Add"]
    return {
        name: readers[name][0].output[0]
        for name in made
        if name not in ends
        and len(readers.get(name, ())) == 1
        and readers[name][0].op_type == "Add"
    }


def _norm(array: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))
