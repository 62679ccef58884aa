"""Which ONNX value a tensor of onnx2tf 2 holds, by its report and by what both compute.

The report follows each value through onnx2tf's renamings. That is not enough: a convolution and
the activation that went into it lead to one tensor, and a name that is used anew (a concatenation
renamed to what the resize beside it was called) leads on to the wrong one. So every tensor gets
all values that the report may mean, and of these the one that it is nearest to. A wrong tensor
keeps a name, and the proof tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import onnx

from ghostdeploy.flatbuffer import ModelT, tensor_name
from ghostdeploy.lowering.parity import Array, layer_errors

# What onnx2tf puts behind a value's name for the same value with its channels last, and behind
# that of a node for what goes into it.
SAME = ("_output_nhwc", "__to_nhwc", "_nhwc", "__raw")
GIVEN = "_input_nhwc"
SURE = 1e-3  # relative L2 that two values of one tensor, before and behind a bias, never have
PREFIX = "onnx2tf"  # a converter's own scope, which ``tidy.name_tensors`` cuts off


def name_after_values(
    model: ModelT,
    report: Mapping[str, Any],
    proto: onnx.ModelProto,
    truth: Mapping[str, Array],
    got: Mapping[str, Array],
) -> None:
    """Call every computed tensor after an ONNX value; it keeps its name where none may be meant.

    ``report`` is onnx2tf's, ``truth`` and ``got`` are what ONNX and the file compute of one input.
    """
    meant = _meanings(report, proto)
    graph = model.subgraphs[0]
    for index in [int(i) for op in graph.operators for i in op.outputs]:
        name = tensor_name(graph.tensors[index])
        value = _nearest([*_likely(name, meant, truth)], truth, got.get(name))
        graph.tensors[index].name = f"{PREFIX}/{value or name}".encode()


def _meanings(report: Mapping[str, Any], proto: onnx.ModelProto) -> dict[str, list[str]]:
    """Return the values that each tensor's name may stand for, in the order of the graph."""
    found: dict[str, list[str]] = {}
    for record in report["records"]:
        for name in {*record["rewrite_name_chain"], record["resolved_tflite_tensor_name"]}:
            found.setdefault(name, []).append(record["onnx_output_name"])
    for node in proto.graph.node:
        if node.input:
            found.setdefault(node.output[0] + GIVEN, []).append(node.input[0])
    return found


def _likely(name: str, meant: Mapping[str, list[str]], truth: Mapping[str, Array]) -> Iterator[str]:
    endings = [name.removesuffix(ending) for ending in SAME if name.endswith(ending)]
    likely = {*endings, *meant.get(name, ())}
    yield from (value for value in truth if value in likely)


def _nearest(values: list[str], truth: Mapping[str, Array], got: Array | None) -> str:
    """Return the last of the values that ``got`` is, else the nearest, "" where none fits."""
    if got is None:
        return values[-1] if values else ""
    errors = layer_errors({v: truth[v] for v in values}, dict.fromkeys(values, got))
    sure = [value for value, error in errors.items() if error <= SURE]
    return sure[-1] if sure else min(errors, key=lambda value: errors[value], default="")
