"""Which ONNX value a tensor of onnx2tf 2 holds, by its report and by what both compute.

The report follows each value through onnx2tf's renamings. That is not enough: a convolution and
the activation that went into it lead to one tensor, and a name that is used anew (a concatenation
renamed to what the resize beside it was called) leads on to the wrong one. So every tensor gets
all values that the report may mean, and of these the one that it is nearest to. A wrong tensor
keeps a name, and the proof tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from ghostdeploy.errors import ConversionError
from ghostdeploy.flatbuffer import ModelT, tensor_name
from ghostdeploy.lowering.parity import Array, layer_errors

# What onnx2tf puts behind a value's name for the same value with its channels last, and behind
# that of a node for what goes into it.
SAME = ("_output_nhwc", "__to_nhwc", "_nhwc", "__raw")
GIVEN = "_input_nhwc"
SURE = 1e-3  # relative L2 that two values of one tensor, before and behind a bias, never have
PREFIX = "onnx2tf"  # a converter's own scope, which ``tidy.name_tensors`` cuts off


class Correspondence:
    """Which value each tensor of ``model``'s first graph holds.

    ``report`` is onnx2tf's, ``proto`` the ONNX model, ``truth`` and ``got`` are what that and the
    file compute of one input, by name.
    """

    def __init__(
        self,
        model: ModelT,
        report: Mapping[str, Any],
        proto: onnx.ModelProto,
        truth: Mapping[str, Array],
        got: Mapping[str, Array],
    ) -> None:
        self.graph = model.subgraphs[0]
        self.truth, self.got = truth, got
        self._meant = _meanings(report, proto)
        made = [int(i) for op in self.graph.operators for i in op.outputs]
        self._values = {index: self._value_of(index) for index in made}

    def _value_of(self, index: int) -> str:
        name = tensor_name(self.graph.tensors[index])
        ends = [name.removesuffix(ending) for ending in SAME if name.endswith(ending)]
        likely = {name, *ends, *self._meant.get(name, ())}
        return _nearest([v for v in self.truth if v in likely], self.truth, self.got.get(name))

    def adopt_outputs(self, names: Sequence[str]) -> None:
        """Let the graph give what is computed, by the outputs' ``names``.

        onnx2tf 2.6.9 leaves an output that an inner operator reads too without anything that
        computes it, and computes that value as another tensor.
        """
        held = {value: index for index, value in self._values.items()}
        for place, name in enumerate(names):
            if int(self.graph.outputs[place]) not in self._values and name in held:
                self.graph.outputs[place] = held[name]

    def computed_outputs(self) -> list[Array]:
        """Return what the file computes for each output. Raises ConversionError for none."""
        names = [tensor_name(self.graph.tensors[int(i)]) for i in self.graph.outputs]
        lost = [name for name in names if name not in self.got]
        if lost:
            raise ConversionError(f"onnx2tf left the output {lost[0]} without what computes it")
        return [self.got[name] for name in names]

    def name_tensors(self) -> None:
        """Call every computed tensor after its value; it keeps its name where it has none."""
        for index, value in self._values.items():
            tensor = self.graph.tensors[index]
            tensor.name = f"{PREFIX}/{value or tensor_name(tensor)}".encode()


def _meanings(report: Mapping[str, Any], proto: onnx.ModelProto) -> dict[str, list[str]]:
    """Return the values that each tensor's name may stand for."""
    found: dict[str, list[str]] = {}
    for record in report["records"]:
        for name in {*record["rewrite_name_chain"], record["resolved_tflite_tensor_name"]}:
            found.setdefault(name, []).append(record["onnx_output_name"])
    for node in proto.graph.node:
        if node.input:
            found.setdefault(node.name + GIVEN, []).append(node.input[0])
    return found


def _nearest(values: list[str], truth: Mapping[str, Array], got: Array | None) -> str:
    """Return the last of the values that ``got`` is, else the nearest, "" where none fits."""
    if got is None:
        return values[-1] if values else ""
    errors = layer_errors({v: truth[v] for v in values}, dict.fromkeys(values, got))
    sure = [value for value, error in errors.items() if error <= SURE]
    return sure[-1] if sure else min(errors, key=lambda value: errors[value], default="")
