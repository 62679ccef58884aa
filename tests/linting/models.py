"""Hand-made graphs, step by step, as ONNX and as TFLite files.

Both builders speak the same steps: a step takes a value's name and gives the next one's.
``CHANNELS`` channels on ``SIDE``×``SIDE`` pixels, or half of that between ``shrink`` and ``up``.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy import flatbuffer

CHANNELS, SIDE = 4, 8
CONVOLUTIONS = {"1×1": (1, 1), "3×3": (3, 3)}
DEPTHWISE = {"dw 1×5": (1, 5), "dw 5×1": (5, 1), "dw 3×3": (3, 3), "dw 5×5": (5, 5)}


class OnnxGraph:
    """Collects nodes; ``model`` is checked by onnx itself."""

    suffix = ".onnx"

    def __init__(self) -> None:
        self.nodes: list = []
        self.weights: list = []
        self.random = np.random.RandomState(0)
        self.module = ""
        self.input = "image"

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: object) -> str:
        path = f"{self.module}/" if self.module else ""
        names = [f"{path}{op.lower()}_{len(self.nodes)}.{i}" for i in range(outputs)]
        names[0] = names[0].removesuffix(".0")
        node = helper.make_node(op, list(inputs), names, name=names[0], **attributes)
        if self.module:
            node.metadata_props.add(key="ghostdeploy.module", value=self.module)
        self.nodes.append(node)
        return names[0]

    def constant(self, array: np.ndarray) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def conv(self, x: str, kernel: tuple[int, int], depthwise: bool) -> str:
        shape = (CHANNELS, 1 if depthwise else CHANNELS, *kernel)
        weight = self.constant(self.random.rand(*shape).astype(np.float32))
        pads = [kernel[0] // 2, kernel[1] // 2] * 2
        groups = CHANNELS if depthwise else 1
        return self.node("Conv", x, weight, kernel_shape=kernel, pads=pads, group=groups)

    def resize(self, x: str, factor: float, mode: str) -> str:
        scales = self.constant(np.array([1, 1, factor, factor], np.float32))
        return self.node("Resize", x, "", scales, mode=mode)

    def scalar(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def step(self, kind: str, x: str) -> str:
        if kind in CONVOLUTIONS:
            return self.conv(x, CONVOLUTIONS[kind], depthwise=False)
        if kind in DEPTHWISE:
            return self.conv(x, DEPTHWISE[kind], depthwise=True)
        match kind:
            case "average":
                return self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            case "max":
                return self.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            case "shrink":
                return self.resize(x, 0.5, "linear")
            case "up nearest":
                return self.resize(x, 2.0, "nearest")
            case "up bilinear":
                return self.resize(x, 2.0, "linear")
            case "+3":
                return self.node("Add", x, self.scalar(3.0))
            case "relu6":
                return self.node("Clip", x, self.scalar(0.0), self.scalar(6.0))
            case "·1/6":
                return self.node("Mul", x, self.scalar(1 / 6))
            case "transpose":
                return self.node("Transpose", x, perm=[0, 1, 3, 2])
        return self.node({"sigmoid": "Sigmoid", "relu": "Relu", "hard": "HardSigmoid"}[kind], x)

    def concat(self, *inputs: str) -> str:
        return self.node("Concat", *inputs, axis=1)

    def mul(self, a: str, b: str) -> str:
        return self.node("Mul", a, b)

    def model(self, output: str) -> bytes:
        def value(name: str, shape: list) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        inputs = [value(self.input, [1, CHANNELS, SIDE, SIDE])]
        graph = helper.make_graph(
            self.nodes, "g", inputs, [value(output, ["n", "c", "h", "w"])], self.weights
        )
        opset = [helper.make_opsetid("", 18)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=10)
        onnx.checker.check_model(model)
        return model.SerializeToString()


class TfliteGraph:
    """Collects operators in LiteRT's own schema objects."""

    suffix = ".tflite"

    def __init__(self) -> None:
        self.schema = flatbuffer.schema()
        self.random = np.random.RandomState(0)
        self.module = ""
        self.tensors: list = []
        self.operators: list = []
        self.codes: list[int] = []
        self.buffers = [self.schema.BufferT()]
        self.input = self.tensor("image", (1, SIDE, SIDE, CHANNELS))

    def tensor(self, name: str, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape = name.encode(), np.array(shape, np.int32)
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            types = {"f": self.schema.TensorType.FLOAT32, "i": self.schema.TensorType.INT32}
            tensor.type = types[data.dtype.kind]
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, array: np.ndarray) -> int:
        return self.tensor(f"weight_{len(self.tensors)}", array.shape, array)

    def op(
        self, name: str, inputs: list[int], shape: tuple[int, ...], options=None, **fields
    ) -> int:
        code = getattr(self.schema.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        operator = self.schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs = np.array(inputs, np.int32)
        path = f"{self.module}/" if self.module else ""
        output = self.tensor(f"{path}{name.lower()}_{len(self.operators)}", shape)
        operator.outputs = np.array([output], np.int32)
        if options:
            operator.builtinOptions = getattr(self.schema, f"{options}T")()
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field)
                setattr(operator.builtinOptions, field, value)
        self.operators.append(operator)
        return output

    def shape(self, x: int) -> tuple[int, ...]:
        return tuple(int(side) for side in self.tensors[x].shape)

    def conv(self, x: int, kernel: tuple[int, int], depthwise: bool) -> int:
        shape = (1, *kernel, CHANNELS) if depthwise else (CHANNELS, *kernel, CHANNELS)
        weight = self.constant(self.random.rand(*shape).astype(np.float32))
        bias = self.constant(np.zeros(CHANNELS, np.float32))
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        options = {"depthMultiplier": 1} if depthwise else {}
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        return self.op(
            name, [x, weight, bias], self.shape(x), kind, strideH=1, strideW=1, **options
        )

    def grouped_conv(self, x: int) -> int:
        """A depthwise 3×3 written as CONV_2D with as many groups as channels."""
        weight = self.constant(self.random.rand(CHANNELS, 3, 3, 1).astype(np.float32))
        bias = self.constant(np.zeros(CHANNELS, np.float32))
        return self.op(
            "CONV_2D", [x, weight, bias], self.shape(x), "Conv2DOptions", strideH=1, strideW=1
        )

    def scaled(self, x: int, factor: float) -> tuple[int, ...]:
        n, h, w, c = self.shape(x)
        return n, int(h * factor), int(w * factor), c

    def resize(self, x: int, factor: float, name: str) -> int:
        shape = self.scaled(x, factor)
        options = {"RESIZE_BILINEAR": "ResizeBilinearOptions"}
        kind = options.get(name, "ResizeNearestNeighborOptions")
        return self.op(name, [x, self.constant(np.array(shape[1:3], np.int32))], shape, kind)

    def pool(self, x: int, name: str) -> int:
        sizes = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
        return self.op(name, [x], self.scaled(x, 0.5), "Pool2DOptions", **sizes)

    def scalar(self, value: float) -> int:
        return self.constant(np.array([value], np.float32))

    def step(self, kind: str, x: int) -> int:
        if kind in CONVOLUTIONS:
            return self.conv(x, CONVOLUTIONS[kind], depthwise=False)
        if kind in DEPTHWISE:
            return self.conv(x, DEPTHWISE[kind], depthwise=True)
        match kind:
            case "average":
                return self.pool(x, "AVERAGE_POOL_2D")
            case "max":
                return self.pool(x, "MAX_POOL_2D")
            case "shrink":
                return self.resize(x, 0.5, "RESIZE_BILINEAR")
            case "up nearest":
                return self.resize(x, 2.0, "RESIZE_NEAREST_NEIGHBOR")
            case "up bilinear":
                return self.resize(x, 2.0, "RESIZE_BILINEAR")
            case "+3":
                return self.op("ADD", [x, self.scalar(3.0)], self.shape(x), "AddOptions")
            case "·1/6":
                return self.op("MUL", [x, self.scalar(1 / 6)], self.shape(x), "MulOptions")
            case "transpose":
                order = self.constant(np.array([0, 2, 1, 3], np.int32))
                return self.op("TRANSPOSE", [x, order], self.shape(x), "TransposeOptions")
        names = {"sigmoid": "LOGISTIC", "relu": "RELU", "hard": "RELU_0_TO_1", "relu6": "RELU6"}
        return self.op(names[kind], [x], self.shape(x))

    def concat(self, a: int, b: int) -> int:
        n, h, w, c = self.shape(a)
        return self.op("CONCATENATION", [a, b], (n, h, w, 2 * c), "ConcatenationOptions", axis=3)

    def mul(self, a: int, b: int) -> int:
        return self.op("MUL", [a, b], self.shape(a), "MulOptions")

    def model_t(self, output: int):
        graph = self.schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = b"main", self.tensors, self.operators
        graph.inputs, graph.outputs = np.array([self.input], np.int32), np.array([output], np.int32)
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for code in self.codes:
            operator_code = self.schema.OperatorCodeT()
            operator_code.builtinCode = code
            operator_code.deprecatedBuiltinCode = min(code, 127)
            operator_code.version = 1
            model.operatorCodes.append(operator_code)
        return model

    def model(self, output: int) -> bytes:
        return flatbuffer.dump(self.model_t(output))


GRAPHS = {"onnx": OnnxGraph, "tflite": TfliteGraph}


def gated_module(graph, x, steps: tuple[str, ...], module: str = "blocks.2.0.ghost1"):
    """A Ghost module (1×1, cheap 3×3) times what ``steps`` make of its input."""
    before, graph.module = graph.module, module
    y = graph.step("relu", graph.step("dw 3×3", graph.step("relu", graph.step("1×1", x))))
    gate = x
    for kind in steps:
        gate = graph.step(kind, gate)
    product = graph.mul(y, gate)
    graph.module = before
    return product
