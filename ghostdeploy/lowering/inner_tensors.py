"""Inner tensors compared by name, where a converter's names may be off by a step.

Two things that a converter does are no defects, and look like some:

- A factor, an offset or an activation goes into the operator before it, or a transpose behind the
  one after it: the tensor that bears the one's name holds what comes out behind the other. It is
  then that later value which is compared. Nothing wrong hides in this: the file's tensor equals a
  value of the network's that only comes from the one which it is named after.
- (a + b) + c becomes a + (b + c): the tensor that is called after ``a + b`` is another one. Whether
  the step is right is told by the sum that it goes into: one as wrong as it looks would move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from ghostdeploy.lowering.parity import Array, layer_errors


def compare_inner(
    values: Mapping[str, Array],
    got: Mapping[str, Array],
    model: onnx.ModelProto,
    tolerance: float,
) -> dict[str, float]:
    """Return the relative L2 of inner tensors by name, in the order of ``values``.

    ``values`` are the network's own, ``got`` the file's; ``model`` is the graph that names them.
    ``tolerance`` is the largest distance that passes.
    """
    readers = _Readers(model)
    errors = layer_errors(values, got)
    for name in [n for n, error in errors.items() if not error <= tolerance]:
        for later in readers.values_behind(name):
            if later not in values:
                continue
            error = layer_errors({later: values[later]}, {later: got[name]}).get(later, np.inf)
            if error <= tolerance:
                del errors[name]
                errors.setdefault(later, error)
                break
    kept = _drop_reordered(errors, values, readers, tolerance)
    return {name: kept[name] for name in values if name in kept}


def _drop_reordered(
    errors: Mapping[str, float], values: Mapping[str, Array], readers: _Readers, tolerance: float
) -> dict[str, float]:
    """Leave out the steps of sums that are right as a whole, unless their error would not show."""
    kept = {}
    for name, error in errors.items():
        whole = _right_sum(readers, name, errors, tolerance)
        share = _norm(values[name]) / max(_norm(values[whole]), 1e-30) if whole in values else 0.0
        if error <= tolerance or not error * share > tolerance:
            kept[name] = error
    return kept


def _right_sum(readers: _Readers, name: str, errors: Mapping[str, float], tolerance: float) -> str:
    """Return the first sum behind a step that was compared and is right, "" without one."""
    for whole in readers.sums_behind(name):
        if errors.get(whole, np.inf) <= tolerance:
            return whole
    return ""


def _norm(array: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(array.astype(np.float64)))


class _Readers:
    """Which node alone reads each value of a graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        found: dict[str, list[onnx.NodeProto]] = {}
        for node in model.graph.node:
            for name in node.input:
                found.setdefault(name, []).append(node)
        ends = {output.name for output in model.graph.output}
        self.alone = {n: r[0] for n, r in found.items() if len(r) == 1 and n not in ends}
        self.makers = {name: node for node in model.graph.node for name in node.output}

    def values_behind(self, name: str) -> Iterator[str]:
        """Yield the values that come of this one, as long as one operator alone reads it."""
        while node := self.alone.get(name):
            name = node.output[0]
            yield name

    def sums_behind(self, name: str) -> Iterator[str]:
        """Yield the sums that a sum goes into, as long as nothing else reads it."""
        maker = self.makers.get(name)
        while maker is not None and maker.op_type == "Add":
            reader = self.alone.get(name)
            if reader is None or reader.op_type != "Add":
                return
            name, maker = reader.output[0], reader
            yield name
