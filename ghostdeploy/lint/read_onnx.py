"""ONNX files as neutral graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.lint.graph import Graph, Node, Value
from ghostdeploy.lint.ops import ONNX_OPS

MODULE_KEY = "ghostdeploy.module"


def read_onnx(path: Path) -> Graph:
    """The graph of an ONNX file. Raises InputFileError for a damaged one."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "export") from error
    try:
        model = onnx.load(str(path))
        model = with_shapes(model)
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf's and onnx's own kinds
        line = str(error).strip().split("\n", 1)[0][:120]
        raise InputFileError(f"{path} is a damaged ONNX model: {line}") from error
    if not model.graph.node:
        raise InputFileError(f"{path} is not an ONNX model (no operators)")
    return graph_of(model, str(path))


def with_shapes(model: Any) -> Any:
    """The model with the shape of every value that can be inferred."""
    import onnx

    return onnx.shape_inference.infer_shapes(model)


def graph_of(model: Any, source: str) -> Graph:
    """The neutral graph of a ModelProto whose shapes are inferred."""
    values = _values(model.graph)
    nodes = tuple(_node(n, values) for n in model.graph.node if n.op_type != "Constant")
    for node in nodes:
        for name in node.outputs:
            values.setdefault(name, Value(name, None, "", constant=False))
    constants = {i.name for i in model.graph.initializer}
    inputs = tuple(i.name for i in model.graph.input if i.name not in constants)
    outputs = tuple(o.name for o in model.graph.output)
    return Graph(source, "onnx", nodes, values, inputs, outputs)


def _values(graph: Any) -> dict[str, Value]:
    from onnx import TensorProto

    values: dict[str, Value] = {}
    for info in (*graph.value_info, *graph.input, *graph.output):
        tensor = info.type.tensor_type
        shape = None
        if tensor.HasField("shape"):
            shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim)
        dtype = TensorProto.DataType.Name(tensor.elem_type).lower()
        values[info.name] = Value(info.name, shape, dtype, constant=False)
    for initializer in graph.initializer:
        dtype = TensorProto.DataType.Name(initializer.data_type).lower()
        values[initializer.name] = Value(
            initializer.name, tuple(initializer.dims), dtype, constant=True
        )
    for node in graph.node:
        if node.op_type == "Constant":
            for name in node.output:
                values[name] = Value(name, None, "", constant=True)
    return values


def _node(proto: Any, values: dict[str, Value]) -> Node:
    import onnx

    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
    op = ONNX_OPS.get(proto.op_type, proto.op_type.lower())
    kernel = tuple(attributes.get("kernel_shape", ())) or None
    if proto.op_type == "Conv":
        weights = values.get(proto.input[1])
        shape = weights.shape if weights else None
        kernel = tuple(shape[2:]) if shape else kernel
        groups = attributes.get("group", 1)
        op = "depthwise_conv2d" if shape and groups > 1 and shape[1] == 1 else "conv2d"
    module = next((m.value for m in proto.metadata_props if m.key == MODULE_KEY), "")
    return Node(
        name=proto.name or (proto.output[0] if proto.output else proto.op_type),
        op=op,
        native=proto.op_type,
        inputs=tuple(name for name in proto.input if name),
        outputs=tuple(proto.output),
        module=module,
        kernel=kernel if kernel and len(kernel) == 2 else None,
        attributes=attributes,
    )
