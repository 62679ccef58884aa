"""TFLite and ONNX graphs of a few operators, through the real formats and readers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import enum_names
from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.needed_versions import NEEDED
from ghostdeploy.linting.readers.onnx_graph import add_shapes, build_onnx_graph
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph

OPTIONS = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MUL": "MulOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
}
ONE_BY_ONE = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3


class Tflite:
    """Collects operators; a tensor is its index. The input is (1, 8, 8, 4) unless said."""

    def __init__(
        self, shape: Sequence[int] = (1, 8, 8, 4), dtype: str = "float32", **more: object
    ) -> None:
        self.schema = flatbuffer.schema()
        self.tensors: list = []
        self.operators: list = []
        self.codes: list = []
        self.buffers = [self.schema.BufferT()]
        self.input = self.tensor("image", shape, dtype, **more)

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        *,
        data: np.ndarray | None = None,
        scale: Sequence[float] = (),
        zero: Sequence[int] = (),
        signature: Sequence[int] | None = None,
    ) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape = name.encode(), np.array(shape, np.int32)
        tensor.type = getattr(self.schema.TensorType, dtype.upper())
        if signature:
            tensor.shapeSignature = np.array(signature, np.int32)
        if scale:
            q = tensor.quantization = self.schema.QuantizationParametersT()
            q.scale = np.array(scale, np.float32)
            q.zeroPoint = np.array(zero or [0] * len(scale), np.int64)
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, array, dtype: str = "float32", **more: object) -> int:
        data = np.asarray(array, dtype)
        return self.tensor(f"constant_{len(self.tensors)}", data.shape, dtype, data=data, **more)

    def random(self, *shape: int, dtype: str = "float32", **more: object) -> int:
        random = np.random.RandomState(len(self.tensors))
        return self.constant(random.uniform(-99, 99, shape).astype(dtype), dtype, **more)

    def op(
        self,
        native: str,
        inputs: Sequence[int],
        shape: Sequence[int] | None = None,
        dtype: str = "",
        *,
        scale: Sequence[float] = (),
        zero: Sequence[int] = (),
        signature: Sequence[int] | None = None,
        name: str = "",
        **fields: object,
    ) -> int:
        """An operator; its output is like its first input unless said otherwise."""
        before = self.tensors[inputs[0]]
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self._code(native)
        operator.inputs = np.array(inputs, np.int32)
        output = self.tensor(
            name or f"{native.lower()}_{len(self.operators)}",
            before.shape if shape is None else shape,
            dtype or enum_names("TensorType")[before.type].lower(),
            scale=scale,
            zero=zero,
            signature=signature,
        )
        operator.outputs = np.array([output], np.int32)
        if native in OPTIONS:
            kind = OPTIONS[native]
            options = operator.builtinOptions = getattr(self.schema, f"{kind}T")()
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, kind)
            for field, value in fields.items():
                assert hasattr(options, field)
                setattr(options, field, value)
        self.operators.append(operator)
        return output

    def _code(self, native: str) -> int:
        code = self.schema.OperatorCodeT()
        custom = native.startswith("CUSTOM:")
        code.builtinCode = getattr(self.schema.BuiltinOperator, "CUSTOM" if custom else native)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = max(NEEDED.get(native, {}).values(), default=1)  # knows every type
        if custom:
            code.customCode = native.removeprefix("CUSTOM:").encode()
        self.codes.append(code)
        return len(self.codes) - 1

    def conv(self, x: int, channels: int = 4, kernel: int = 1, **fields: object) -> int:
        """A float CONV_2D that keeps the size unless ``shape`` says otherwise."""
        n, h, w, c = (int(side) for side in self.tensors[x].shape)
        weights = self.random(channels, kernel, kernel, c)
        shape = fields.pop("shape", (n, h, w, channels))
        return self.op("CONV_2D", [x, weights], shape, **{**ONE_BY_ONE, **fields})

    def conv_int8(self, x: int, scale: float = 0.1, zero: int = 0) -> int:
        n, h, w, c = (int(side) for side in self.tensors[x].shape)
        weights = self.random(4, 1, 1, c, dtype="int8", scale=[0.1] * 4)
        return self.op(
            "CONV_2D", [x, weights], (n, h, w, 4), scale=[scale], zero=[zero], **ONE_BY_ONE
        )

    def bytes(self, *outputs: int) -> bytes:
        return flatbuffer.dump(self.model(*outputs))

    def model(self, *outputs: int):
        graph = self.schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = b"main", self.tensors, self.operators
        graph.inputs, graph.outputs = np.array([self.input], np.int32), np.array(outputs, np.int32)
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = self.codes
        return model

    def graph(self, *outputs: int) -> Graph:
        return build_tflite_graph(flatbuffer.load(self.bytes(*outputs), "hand-made"), "hand-made")


class Onnx:
    """Collects nodes; a value is its name. The input is (1, 4, 8, 8) unless said."""

    def __init__(self, shape: Sequence[int | str] = (1, 4, 8, 8), opset: int = 18) -> None:
        self.opset = opset
        self.nodes: list = []
        self.weights: list = []
        self.input = "image"
        self.shape = list(shape)

    def constant(self, array, dtype: str = "float32") -> str:
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def op(self, native: str, *inputs: str, name: str = "", **attributes: object) -> str:
        name = name or f"{native.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(native, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, **attributes: object) -> str:
        return self.op("Conv", x, self.constant(np.ones((4, 4, 1, 1))), **attributes)

    def model(self, *outputs: str) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, self.shape)]
        ends = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        graph = helper.make_graph(self.nodes, "hand-made", inputs, ends, self.weights)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.example", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def graph(self, *outputs: str) -> Graph:
        return build_onnx_graph(add_shapes(self.model(*outputs)), "hand-made")


def chain(*natives: str) -> Graph:
    """TFLite operators in a row."""
    t = Tflite()
    x = t.input
    for native in natives:
        x = t.op(native, [x])
    return t.graph(x)


def rules(graph: Graph, *severities: str) -> dict[str, int]:
    """How many findings each rule has, of all severities unless some are named."""
    counts: dict[str, int] = {}
    for finding in lint_graph(graph).findings:
        if not severities or finding.severity in severities:
            counts[finding.rule] = counts.get(finding.rule, 0) + 1
    return counts


def only(graph: Graph, rule: str):
    """The one finding of ``rule``."""
    (finding,) = [f for f in lint_graph(graph).findings if f.rule == rule]
    return finding
