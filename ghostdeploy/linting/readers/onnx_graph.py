"""ONNX files as neutral graphs.

Weights are looked at one at a time and left behind: only their size and a digest are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.errors import InputFileError, MissingExtraError, error_line
from ghostdeploy.linting.graph import Graph, Node, Value
from ghostdeploy.linting.readers.onnx_modules import find_line, find_module
from ghostdeploy.linting.readers.onnx_shapes import infer_shapes, infer_shapes_apart
from ghostdeploy.linting.readers.onnx_values import read_constant_nodes, read_values
from ghostdeploy.linting.readers.onnx_weights import MissingWeights, strip_weights
from ghostdeploy.linting.vocabulary import ONNX_OPS

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

DEFAULT = ("", "ai.onnx")
STANDARD_DOMAINS = (*DEFAULT, "ai.onnx.ml")


def read_onnx(path: Path) -> Graph:
    """Return the graph of an ONNX file. Raises InputFileError for a damaged one."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "local") from error
    try:
        model = onnx.load(str(path), load_external_data=False)
        graph = build_onnx_graph(infer_shapes_apart(strip_weights(model, path.parent)), str(path))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    except MissingWeights as error:
        raise InputFileError(f"{path} keeps weights in other files, and {error}") from error
    except Exception as error:  # protobuf's and onnx's own kinds
        raise InputFileError(f"{path} is a damaged ONNX model: {error_line(error, 120)}") from error
    if not graph.nodes:
        raise InputFileError(f"{path} is not an ONNX model (no operators)")
    return graph


def add_shapes(model: ModelProto) -> ModelProto:
    """Return the model with the shapes that can be inferred, and without its weights.

    Inference copies the model several times, so it is given one whose large tensors are replaced
    by their size and digest.
    """
    return infer_shapes(strip_weights(model, None))


def build_onnx_graph(model: ModelProto, source: str) -> Graph:
    """Return the neutral graph of a model whose shapes are inferred."""
    return _Reader(model, source).read(model.graph)


class _Reader:
    """One model's graphs; ``found`` collects those inside operators and functions."""

    def __init__(self, model: ModelProto, source: str) -> None:
        self.source = source
        self.opset = next((o.version for o in model.opset_import if o.domain in DEFAULT), 0)
        self.functions = {(f.domain, f.name) for f in model.functions}
        self.found = [self._read_function(f) for f in model.functions]

    def read(self, graph: GraphProto) -> Graph:
        """Return the main graph, which holds the others."""
        whole = self._read_graph(graph, {})
        return replace(whole, subgraphs=tuple(self.found))

    def _read_graph(self, graph: GraphProto, outer: dict[str, Value]) -> Graph:
        values = read_values(graph)
        values.update((n, outer[n]) for n in _captured(graph) if n in outer and n not in values)
        constants = {i.name for i in graph.initializer}
        inputs = tuple(i.name for i in graph.input if i.name not in constants)
        outputs = tuple(o.name for o in graph.output)
        return self._build(graph.node, values, inputs, outputs)

    def _read_function(self, function: FunctionProto) -> Graph:
        values = dict(read_constant_nodes(function.node))
        for name in function.input:
            values.setdefault(name, Value(name, None, "", constant=False))
        return self._build(function.node, values, tuple(function.input), tuple(function.output))

    def _build(
        self,
        protos: Sequence[NodeProto],
        values: dict[str, Value],
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
    ) -> Graph:
        nodes = tuple(self._read_node(n, values) for n in protos if n.op_type != "Constant")
        for node in nodes:
            for name in (*node.outputs, *node.inputs):
                values.setdefault(name, Value(name, None, "", constant=False))
        for name in (*inputs, *outputs):
            values.setdefault(name, Value(name, None, "", constant=False))
        if not all(isinstance(text, str) for text in (*values, *(p.op_type for p in protos))):
            raise ValueError("a name in it is not UTF-8")  # protobuf then gives bytes
        _quantize(nodes, values)
        return Graph(self.source, "onnx", nodes, values, inputs, outputs)

    def _read_node(self, proto: NodeProto, values: dict[str, Value]) -> Node:
        self._require_ends(proto)
        inner = tuple(_inner_graphs(proto))
        for graph in inner:
            self.found.append(self._read_graph(graph, values))
        attributes = _attributes(proto)
        op, kernel = _op_and_kernel(proto, attributes, values)
        captured = dict.fromkeys(name for graph in inner for name in _captured(graph))
        return Node(
            name=proto.name or (proto.output[0] if proto.output else proto.op_type),
            op=op,
            native=proto.op_type,
            inputs=(*(name for name in proto.input if name), *captured),
            outputs=tuple(name for name in proto.output if name),
            module=find_module(proto),
            line=find_line(proto),
            kernel=kernel,
            attributes=attributes,
            custom=self._is_custom(proto),
            version=self.opset if proto.domain in DEFAULT else 0,
        )

    def _require_ends(self, proto: NodeProto) -> None:
        """Raise ValueError for an operator that lacks an input or output that it must have."""
        import onnx

        domain = "" if proto.domain == "ai.onnx" else proto.domain
        if not self.opset or not onnx.defs.has(proto.op_type, self.opset, domain):
            return
        schema = onnx.defs.get_schema(proto.op_type, self.opset, domain)
        for kind, names, least, slots in (
            ("input", proto.input, schema.min_input, schema.inputs),
            ("output", proto.output, schema.min_output, schema.outputs),
        ):
            single = onnx.defs.OpSchema.FormalParameterOption.Single
            given = zip(names, slots, strict=False)
            unnamed = any(not name and slot.option == single for name, slot in given)
            if len(names) < least or unnamed:
                raise ValueError(f"its operator {proto.op_type} lacks an {kind}")

    def _is_custom(self, proto: NodeProto) -> bool:
        import onnx

        if (proto.domain, proto.op_type) in self.functions:
            return False
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        return domain not in STANDARD_DOMAINS or not onnx.defs.has(proto.op_type, domain)


def _inner_graphs(proto: NodeProto) -> Iterator[GraphProto]:
    for attribute in proto.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _captured(graph: GraphProto) -> tuple[str, ...]:
    """Return what an inner graph reads from outside of it."""
    own = {i.name for i in (*graph.input, *graph.initializer)}
    used: dict[str, None] = {}
    for node in graph.node:
        used.update(dict.fromkeys(name for name in node.input if name))
        for inner in _inner_graphs(node):
            used.update(dict.fromkeys(_captured(inner)))
        own.update(node.output)
    used.update(dict.fromkeys(o.name for o in graph.output))
    return tuple(name for name in used if name not in own)


def _attributes(proto: NodeProto) -> dict[str, object]:
    import onnx

    return {
        a.name: onnx.helper.get_attribute_value(a)
        for a in proto.attribute
        if not a.ref_attr_name  # in a function: the caller's
    }


def _op_and_kernel(
    proto: NodeProto, attributes: Mapping[str, Any], values: Mapping[str, Value]
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


def _quantize(nodes: tuple[Node, ...], values: dict[str, Value]) -> None:
    """Write the constants of QuantizeLinear and DequantizeLinear onto the values between them."""
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
