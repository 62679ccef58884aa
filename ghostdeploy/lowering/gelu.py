"""GELU as one operator for the converter: x · ½ · (1 + erf(x / √2)) is GELU in TFLite.

torch writes it to ONNX in five operators up to operator set 19. TFLite has no erf, so that
TensorFlow's converter refuses the five, but it has GELU, which XNNPACK takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

OPSET = 20  # the first with Gelu
CLOSE = 1e-6


def fuse_gelu(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with each such product as one Gelu; itself where there is none."""
    found = _Finder(model).find()
    if not found:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    gone = {name for each in found for name in each.inner}
    ends = {each.output: each for each in found}
    nodes = []
    for node in copy.graph.node:
        made = node.output[0] if node.output else ""
        if made in ends:
            source = ends[made].source
            nodes.append(onnx.helper.make_node("Gelu", [source], [made], node.name or made))
        elif made not in gone:
            nodes.append(node)
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    for entry in copy.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = max(entry.version, OPSET)
    return copy


@dataclass(frozen=True)
class _Gelu:
    """The value that it is of, the value that it is, and the values between."""

    source: str
    output: str
    inner: tuple[str, ...]


class _Finder:
    """Looks from each erf back to its argument and on to the product."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.nodes = list(graph.node)
        self.makers = {name: node for node in graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.ends = {value.name for value in graph.output}
        self.constants = {t.name: t for t in graph.initializer}

    def find(self) -> list[_Gelu]:
        """Return every GELU of the graph."""
        erfs = [node for node in self.nodes if node.op_type == "Erf"]
        return [found for found in map(self._gelu, erfs) if found]

    def _gelu(self, erf: onnx.NodeProto) -> _Gelu | None:
        scaled = self.makers.get(erf.input[0])
        source = self._argument(scaled)
        if scaled is None or not source:
            return None
        inner, current = [scaled.output[0], erf.output[0]], erf.output[0]
        wanted = {"one", "half", "source"}
        while wanted:
            node = self._only_reader(current)
            step = self._step(node, current, source)
            if node is None or step not in wanted or (step != "one" and "one" in wanted):
                return None
            wanted.discard(step)
            current = node.output[0]
            inner.append(current)
        *between, output = inner
        alone = all(len(self.readers.get(n, ())) == 1 and n not in self.ends for n in between)
        return _Gelu(source, output, tuple(between)) if alone else None

    def _argument(self, node: onnx.NodeProto | None) -> str:
        """Return x of x / √2, "" of anything else."""
        if node is None or node.op_type not in ("Div", "Mul"):
            return ""
        first, second = node.input
        factor = 1 / math.sqrt(2) if node.op_type == "Mul" else math.sqrt(2)
        if self._is(second, factor):
            return str(first)
        return str(second) if node.op_type == "Mul" and self._is(first, factor) else ""

    def _only_reader(self, name: str) -> onnx.NodeProto | None:
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 else None

    def _step(self, node: onnx.NodeProto | None, current: str, source: str) -> str:
        """Return what a node does to ``current``: "one" is added, or times "half" or "source"."""
        if node is None or node.op_type not in ("Add", "Mul"):
            return ""
        (other,) = [name for name in node.input if name != current] or [""]
        if node.op_type == "Add":
            return "one" if self._is(other, 1.0) else ""
        if other == source:
            return "source"
        return "half" if self._is(other, 0.5) else ""

    def _is(self, name: str, number: float) -> bool:
        """Tell whether a value is that one number."""
        tensor = self.constants.get(name)
        maker = self.makers.get(name)
        if tensor is None and maker is not None and maker.op_type == "Constant":
            tensor = next((a.t for a in maker.attribute if a.name == "value"), None)
        if tensor is None or int(np.prod(tensor.dims)) != 1:
            return False
        return bool(abs(float(numpy_helper.to_array(tensor).item()) - number) < CLOSE)
