"""The values of an ONNX graph: their shapes and types, and the constants among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ghostdeploy.lint.graph import Value, count_bytes
from ghostdeploy.lint.readers.onnx_weights import read_constant, type_name

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, ValueInfoProto


def read_values(graph: GraphProto) -> dict[str, Value]:
    """Return every value that the graph declares, by its name."""
    values: dict[str, Value] = {}
    for info in (*graph.value_info, *graph.input, *graph.output):
        values[info.name] = _value(info)
    for initializer in graph.initializer:
        values[initializer.name] = read_constant(initializer, initializer.name)
    for sparse in graph.sparse_initializer:
        name = sparse.values.name
        values[name] = Value(name, tuple(sparse.dims), "", constant=True)
    values.update(read_constant_nodes(graph.node))
    return values


def _value(info: ValueInfoProto) -> Value:
    tensor = info.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
    dtype = type_name(tensor.elem_type)
    return Value(info.name, shape, dtype, constant=False, nbytes=count_bytes(shape, dtype))


def read_constant_nodes(nodes: Iterable[NodeProto]) -> Iterator[tuple[str, Value]]:
    """Yield the name and the value of each output of a Constant."""
    for node in nodes:
        if node.op_type != "Constant":
            continue
        for name in node.output:
            tensors = [a.t for a in node.attribute if a.HasField("t")]
            value = read_constant(tensors[0], name) if tensors else _plain_constant(node, name)
            yield name, value


def _plain_constant(node: NodeProto, name: str) -> Value:
    """Return the value of a Constant that holds a number, or several, instead of a tensor."""
    for a in node.attribute:
        one = {"value_int": a.i, "value_float": a.f}.get(a.name)
        if one is not None:
            return Value(name, (), "", constant=True, numbers=(one,))
        many = {"value_ints": a.ints, "value_floats": a.floats}.get(a.name)
        if many is not None:
            return Value(name, (len(many),), "", constant=True, numbers=tuple(many))
    return Value(name, None, "", constant=True)
