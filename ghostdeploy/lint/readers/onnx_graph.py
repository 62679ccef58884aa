"""ONNX files as neutral graphs.

Weights are looked at one at a time and left behind: only their size and a digest are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.lint.graph import Graph, Node, Value, size_of
from ghostdeploy.lint.readers.onnx_modules import module_of
from ghostdeploy.lint.readers.onnx_shapes import inferred, inferred_apart
from ghostdeploy.lint.readers.onnx_weights import MissingWeights, light, type_name, weight
from ghostdeploy.lint.vocabulary import ONNX_OPS

STANDARD_DOMAINS = ("", "ai.onnx.ml")


def read_onnx(path: Path) -> Graph:
    """The graph of an ONNX file. Raises InputFileError for a damaged one."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "export") from error
    try:
        model = onnx.load(str(path), load_external_data=False)
        graph = graph_of(inferred_apart(light(model, path.parent)), str(path))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    except MissingWeights as error:
        raise InputFileError(f"{path} keeps weights in other files, and {error}") from error
    except Exception as error:  # protobuf's and onnx's own kinds
        line = str(error).strip().split("\n", 1)[0][:120]
        raise InputFileError(f"{path} is a damaged ONNX model: {line}") from error
    if not graph.nodes:
        raise InputFileError(f"{path} is not an ONNX model (no operators)")
    return graph


def with_shapes(model: Any) -> Any:
    """The model with the shape of every value that can be inferred, and without its weights.

    Inference copies the model several times, so it is given one whose large tensors are replaced
    by their size and digest.
    """
    return inferred(light(model, None))


def graph_of(model: Any, source: str) -> Graph:
    """The neutral graph of a ModelProto whose shapes are inferred."""
    reader = _Reader(model, source)
    return reader.main(model.graph)


class _Reader:
    """One model's graphs; ``found`` collects those inside operators and functions."""

    def __init__(self, model: Any, source: str) -> None:
        self.source = source
        self.functions = {(f.domain, f.name) for f in model.functions}
        self.found = [self.function(f) for f in model.functions]

    def main(self, graph: Any) -> Graph:
        whole = self.graph(graph, {})
        return replace(whole, subgraphs=tuple(self.found))

    def graph(self, graph: Any, outer: dict[str, Value]) -> Graph:
        values = _values(graph)
        values.update((n, outer[n]) for n in _captured(graph) if n in outer and n not in values)
        constants = {i.name for i in graph.initializer}
        inputs = tuple(i.name for i in graph.input if i.name not in constants)
        outputs = tuple(o.name for o in graph.output)
        return self._of(graph.node, values, inputs, outputs)

    def function(self, function: Any) -> Graph:
        values = dict(_constant_nodes(function.node))
        for name in function.input:
            values.setdefault(name, Value(name, None, "", constant=False))
        return self._of(function.node, values, tuple(function.input), tuple(function.output))

    def _of(
        self, protos: Any, values: dict[str, Value], inputs: Any, outputs: tuple[str, ...]
    ) -> Graph:
        nodes = tuple(self.node(n, values) for n in protos if n.op_type != "Constant")
        for node in nodes:
            for name in (*node.outputs, *node.inputs):
                values.setdefault(name, Value(name, None, "", constant=False))
        for name in (*inputs, *outputs):
            values.setdefault(name, Value(name, None, "", constant=False))
        if not all(isinstance(text, str) for text in (*values, *(p.op_type for p in protos))):
            raise ValueError("a name in it is not UTF-8")  # protobuf then gives bytes
        _quantize(nodes, values)
        return Graph(self.source, "onnx", nodes, values, inputs, outputs)

    def node(self, proto: Any, values: dict[str, Value]) -> Node:
        inner = tuple(_inner_graphs(proto))
        for graph in inner:
            self.found.append(self.graph(graph, values))
        attributes = _attributes(proto)
        op, kernel = _op_and_kernel(proto, attributes, values)
        captured = dict.fromkeys(name for graph in inner for name in _captured(graph))
        return Node(
            name=proto.name or (proto.output[0] if proto.output else proto.op_type),
            op=op,
            native=proto.op_type,
            inputs=(*(name for name in proto.input if name), *captured),
            outputs=tuple(name for name in proto.output if name),
            module=module_of(proto),
            kernel=kernel,
            attributes=attributes,
            custom=self._is_custom(proto),
        )

    def _is_custom(self, proto: Any) -> bool:
        import onnx

        if (proto.domain, proto.op_type) in self.functions:
            return False
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        return domain not in STANDARD_DOMAINS or not onnx.defs.has(proto.op_type, domain)


def _inner_graphs(proto: Any) -> Iterator[Any]:
    for attribute in proto.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _captured(graph: Any) -> tuple[str, ...]:
    """What an inner graph reads from outside of it."""
    own = {i.name for i in (*graph.input, *graph.initializer)}
    used: dict[str, None] = {}
    for node in graph.node:
        used.update(dict.fromkeys(name for name in node.input if name))
        for inner in _inner_graphs(node):
            used.update(dict.fromkeys(_captured(inner)))
        own.update(node.output)
    used.update(dict.fromkeys(o.name for o in graph.output))
    return tuple(name for name in used if name not in own)


def _attributes(proto: Any) -> dict[str, object]:
    import onnx

    return {
        a.name: onnx.helper.get_attribute_value(a)
        for a in proto.attribute
        if not a.ref_attr_name  # in a function: the caller's
    }


def _op_and_kernel(
    proto: Any, attributes: dict[str, Any], values: dict[str, Value]
) -> tuple[str, tuple[int, int] | None]:
    op = ONNX_OPS.get(proto.op_type, proto.op_type.lower())
    kernel = tuple(attributes.get("kernel_shape", ()))
    if proto.op_type == "Conv":
        weights = values.get(proto.input[1])
        shape = weights.shape if weights and weights.shape and len(weights.shape) > 2 else None
        kernel = shape[2:] if shape else kernel
        groups = attributes.get("group", 1)
        op = "depthwise_conv2d" if shape and groups > 1 and shape[1] == 1 else "conv2d"
    return op, (kernel[0], kernel[1]) if len(kernel) == 2 else None


def _values(graph: Any) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for info in (*graph.value_info, *graph.input, *graph.output):
        values[info.name] = _value(info)
    for initializer in graph.initializer:
        values[initializer.name] = weight(initializer, initializer.name)
    for sparse in graph.sparse_initializer:
        name = sparse.values.name
        values[name] = Value(name, tuple(sparse.dims), "", constant=True)
    values.update(_constant_nodes(graph.node))
    return values


def _value(info: Any) -> Value:
    tensor = info.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
    dtype = type_name(tensor.elem_type)
    return Value(info.name, shape, dtype, constant=False, nbytes=size_of(shape, dtype))


def _constant_nodes(nodes: Iterable[Any]) -> Iterator[tuple[str, Value]]:
    for node in nodes:
        if node.op_type != "Constant":
            continue
        for name in node.output:
            tensors = [a.t for a in node.attribute if a.HasField("t")]
            value = weight(tensors[0], name) if tensors else _plain_constant(node, name)
            yield name, value


def _plain_constant(node: Any, name: str) -> Value:
    """A Constant that holds a number, or several, instead of a tensor."""
    for a in node.attribute:
        one = {"value_int": a.i, "value_float": a.f}.get(a.name)
        if one is not None:
            return Value(name, (), "", constant=True, numbers=(one,))
        many = {"value_ints": a.ints, "value_floats": a.floats}.get(a.name)
        if many is not None:
            return Value(name, (len(many),), "", constant=True, numbers=tuple(many))
    return Value(name, None, "", constant=True)


def _quantize(nodes: tuple[Node, ...], values: dict[str, Value]) -> None:
    """Write QuantizeLinear's and DequantizeLinear's constants onto the values between them."""
    for node in nodes:
        if node.op not in ("quantize", "dequantize") or len(node.inputs) < 2 or not node.outputs:
            continue
        scale, zero = (values[n].numbers or () for n in (node.inputs[1], node.inputs[-1]))
        name = node.outputs[0] if node.op == "quantize" else node.inputs[0]
        axis = node.attributes.get("axis", 1)
        values[name] = replace(
            values[name],
            scale=scale,
            zero_point=tuple(int(z) for z in zero) if len(node.inputs) > 2 else (0,) * len(scale),
            axis=axis if isinstance(axis, int) else 1,
        )
