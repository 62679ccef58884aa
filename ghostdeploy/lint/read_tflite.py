"""TFLite files as neutral graphs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ghostdeploy import flatbuffer
from ghostdeploy.lint.graph import Graph, Node, Value
from ghostdeploy.lint.ops import TFLITE_OPS


def read_tflite(path: Path) -> Graph:
    """The first graph of a TFLite file. Raises InputFileError for a damaged one."""
    return graph_of(flatbuffer.load_file(path), str(path))


def graph_of(model: Any, source: str) -> Graph:
    """The neutral graph of a ``ModelT``. A tensor's name is made unique by its index."""
    graph = model.subgraphs[0]
    names = _unique_names(graph.tensors)
    values = {}
    for name, tensor in zip(names, graph.tensors, strict=True):
        data = model.buffers[tensor.buffer].data
        shape = None if tensor.shape is None else tuple(int(side) for side in tensor.shape)
        dtype = _enum_names("TensorType").get(tensor.type, "?").lower()
        values[name] = Value(name, shape, dtype, data is not None and len(data) > 0)
    nodes = tuple(_node(model, graph, op, names) for op in graph.operators or ())
    inputs = tuple(names[i] for i in graph.inputs)
    outputs = tuple(names[i] for i in graph.outputs)
    return Graph(source, "tflite", nodes, values, inputs, outputs)


def _unique_names(tensors: Any) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    for index, tensor in enumerate(tensors):
        name = (tensor.name or b"").decode(errors="replace")
        name = f"{name}#{index}" if not name or name in seen else name
        seen.add(name)
        names.append(name)
    return names


@cache
def _enum_names(enum: str) -> dict[int, str]:
    members = vars(getattr(flatbuffer.schema(), enum))
    return {value: name for name, value in members.items() if isinstance(value, int)}


def _node(model: Any, graph: Any, op: Any, names: list[str]) -> Node:
    code = model.operatorCodes[op.opcodeIndex]
    native = _enum_names("BuiltinOperator").get(code.builtinCode, str(code.builtinCode))
    if native == "CUSTOM":
        native = f"CUSTOM:{(code.customCode or b'').decode(errors='replace')}"
    inputs = tuple(names[i] for i in op.inputs if i >= 0)
    outputs = tuple(names[i] for i in op.outputs)
    name = outputs[0] if outputs else native
    return Node(
        name=name,
        op=TFLITE_OPS.get(native, native.lower()),
        native=native,
        inputs=inputs,
        outputs=outputs,
        module=name.rpartition("/")[0],
        kernel=_kernel(graph, op, native),
        attributes=dict(vars(op.builtinOptions)) if op.builtinOptions is not None else {},
    )


def _kernel(graph: Any, op: Any, native: str) -> tuple[int, int] | None:
    if native in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        shape = graph.tensors[op.inputs[1]].shape
        return int(shape[1]), int(shape[2])
    if native in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        return op.builtinOptions.filterHeight, op.builtinOptions.filterWidth
    return None
