"""Small sound models to damage, of the operators and the parts that readers look into.

Made by hand through the formats' own packages, with weights by a seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ghostdeploy import flatbuffer

SIDE, CLASSES = 64, 2


def make_tflite() -> dict[str, bytes]:
    """Return a classifier of one RGB image, in float and in int8."""
    return {"classifier": _Tflite().classifier(), "int8": _Tflite(quantized=True).classifier()}


class _Tflite:
    def __init__(self, quantized: bool = False) -> None:
        self.schema: Any = flatbuffer.schema()
        self.quantized = quantized
        self.random = np.random.RandomState(1)
        self.buffers = [self.schema.BufferT()]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[int] = []

    def classifier(self) -> bytes:
        """Make pad, conv, depthwise, a gate of two branches, resize, concat, mean, dense."""
        x = image = self.tensor("image", (1, SIDE, SIDE, 3))
        x = self.conv("stem/conv", x, (1, SIDE, SIDE, 4))
        y = self.depthwise("blocks.0/cheap", x)
        half = (1, SIDE // 2, SIDE // 2, 4)
        sizes = {"filterWidth": 2, "filterHeight": 2, "strideW": 2, "strideH": 2}
        gate = self.op("AVERAGE_POOL_2D", [x], half, "Pool2DOptions", **sizes)
        gate = self.op("LOGISTIC", [gate], half)
        if self.quantized:  # of 0 to 1, as the kernels want it
            self.tensors[gate].quantization = self.quantization(1 / 256, -128)
        size = self.constant("size", np.array([SIDE, SIDE], np.int32))
        gate = self.op("RESIZE_NEAREST_NEIGHBOR", [gate, size], (1, SIDE, SIDE, 4),
                       "ResizeNearestNeighborOptions", halfPixelCenters=True)  # fmt: skip
        y = self.op("MUL", [y, gate], (1, SIDE, SIDE, 4), "MulOptions")
        x = self.op("CONCATENATION", [x, y], (1, SIDE, SIDE, 8), "ConcatenationOptions", axis=3)
        axes = self.constant("axes", np.array([1, 2], np.int32))
        x = self.op("MEAN", [x, axes], (1, 8), "ReducerOptions")
        weight, bias = self.weights("head", (CLASSES, 8), CLASSES)
        x = self.op("FULLY_CONNECTED", [x, weight, bias], (1, CLASSES), "FullyConnectedOptions")
        return self.model(image, x)

    def tensor(self, name: str, shape: tuple[int, ...]) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape = name.encode(), np.array(shape, np.int32)
        if self.quantized:
            tensor.type = self.schema.TensorType.INT8
            tensor.quantization = self.quantization(0.05)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def quantization(self, scale: float, zero: int = 0) -> Any:
        made = self.schema.QuantizationParametersT()
        made.scale, made.zeroPoint = np.array([scale], np.float32), np.array([zero], np.int64)
        return made

    def constant(self, name: str, array: np.ndarray, scale: float = 0.0) -> int:
        index = self.tensor(name, array.shape)
        tensor, buffer = self.tensors[index], self.schema.BufferT()
        names = {"float32": "FLOAT32", "int32": "INT32", "int8": "INT8"}
        tensor.type = getattr(self.schema.TensorType, names[str(array.dtype)])
        tensor.quantization = self.quantization(scale) if scale else None
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        tensor.buffer = len(self.buffers)
        self.buffers.append(buffer)
        return index

    def weights(self, name: str, shape: tuple[int, ...], outputs: int) -> tuple[int, int]:
        values = self.random.standard_normal(shape).astype(np.float32)
        if not self.quantized:
            bias = np.zeros(outputs, np.float32)
            return self.constant(f"{name}/w", values), self.constant(f"{name}/b", bias)
        whole = (20 * values).clip(-127, 127).astype(np.int8)
        bias = np.zeros(outputs, np.int32)
        return self.constant(f"{name}/w", whole, 0.05), self.constant(f"{name}/b", bias, 0.0025)

    def conv(self, name: str, x: int, shape: tuple[int, ...]) -> int:
        weight, bias = self.weights(name, (shape[3], 3, 3, 3), shape[3])
        options = {"strideW": 1, "strideH": 1, "fusedActivationFunction": 1}
        return self.op("CONV_2D", [x, weight, bias], shape, "Conv2DOptions", **options)

    def depthwise(self, name: str, x: int) -> int:
        shape = tuple(int(side) for side in self.tensors[x].shape)
        weight, bias = self.weights(name, (1, 3, 3, shape[3]), shape[3])
        options = {"strideW": 1, "strideH": 1, "depthMultiplier": 1}
        kind = "DepthwiseConv2DOptions"
        return self.op("DEPTHWISE_CONV_2D", [x, weight, bias], shape, kind, **options)

    def op(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], options: str = "", **fields: Any
    ) -> int:
        code = getattr(self.schema.BuiltinOperator, kind)
        if code not in self.codes:
            self.codes.append(code)
        op = self.schema.OperatorT()
        output = self.tensor(f"module.{len(self.operators)}/{kind.lower()}", shape)
        op.opcodeIndex = self.codes.index(code)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options:
            op.builtinOptions = getattr(self.schema, f"{options}T")()
            op.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            vars(op.builtinOptions).update(fields)
        self.operators.append(op)
        return output

    def model(self, image: int, output: int) -> bytes:
        graph, model = self.schema.SubGraphT(), self.schema.ModelT()
        graph.name, graph.tensors, graph.operators = b"main", self.tensors, self.operators
        graph.inputs, graph.outputs = np.array([image], np.int32), np.array([output], np.int32)
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.description, model.operatorCodes = b"fuzz", []
        for number in self.codes:
            code = self.schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = number, number, 3
            model.operatorCodes.append(code)
        model.signatureDefs = [self.signature(image, output)]
        return flatbuffer.dump(model)

    def signature(self, image: int, output: int) -> Any:
        made = self.schema.SignatureDefT()
        made.signatureKey, made.subgraphIndex = b"serving_default", 0
        maps = []
        for name, index in ((b"image", image), (b"logits", output)):
            entry = self.schema.TensorMapT()
            entry.name, entry.tensorIndex = name, index
            maps.append([entry])
        made.inputs, made.outputs = maps
        return made


def make_onnx() -> dict[str, bytes]:
    """Return the same classifier, and one with a branch, a function and Q/DQ pairs."""
    return {"classifier": _onnx_classifier(), "nested": _onnx_nested()}


def _onnx_classifier() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    random, node = np.random.RandomState(1), helper.make_node
    weights = {
        "w": random.standard_normal((4, 3, 3, 3)),
        "d": random.standard_normal((4, 1, 3, 3)),
        "f": random.standard_normal((8, CLASSES)),
        "scales": np.array([1, 1, 2, 2]),
    }
    nodes = [
        node("Conv", ["image", "w"], ["a"], name="/stem/Conv", pads=[1] * 4),
        node("Relu", ["a"], ["r"], name="/stem/Relu"),
        node("Conv", ["r", "d"], ["c"], group=4, pads=[1] * 4, name="/blocks.0/cheap/Conv"),
        node("AveragePool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Sigmoid", ["p"], ["s"]),
        node("Resize", ["s", "", "scales"], ["g"], mode="nearest", nearest_mode="floor",
             coordinate_transformation_mode="asymmetric"),
        node("Mul", ["c", "g"], ["m"], name="/blocks.0/Mul"),
        node("Concat", ["r", "m"], ["k"], axis=1),
        node("GlobalAveragePool", ["k"], ["v"]),
        node("Flatten", ["v"], ["e"]),
        node("MatMul", ["e", "f"], ["logits"]),
    ]  # fmt: skip
    floats = [numpy_helper.from_array(v.astype(np.float32), n) for n, v in weights.items()]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])]
    graph = helper.make_graph(nodes, "main", inputs, outputs, floats)
    return _onnx_bytes(graph)


def _onnx_nested() -> bytes:
    from onnx import TensorProto, helper

    node, value = helper.make_node, helper.make_tensor_value_info
    image = value("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    result = value("z", TensorProto.FLOAT, None)
    then = helper.make_graph([node("Relu", ["image"], ["z"])], "then", [], [result])
    other = helper.make_graph([node("Neg", ["image"], ["z"])], "else", [], [result])
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [], [0.1])
    zero = helper.make_tensor("zero", TensorProto.INT8, [], [0])
    flag = helper.make_tensor("flag", TensorProto.BOOL, [], [True])
    nodes = [
        node("If", ["flag"], ["y"], then_branch=then, else_branch=other),
        node("QuantizeLinear", ["y", "scale", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        node("Constant", [], ["axes"], value_ints=[2, 3]),
        node("ReduceMean", ["d", "axes"], ["mean"], keepdims=0),
        node("Own", ["mean"], ["out"], domain="own"),
    ]
    outputs = [value("out", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "main", [image], outputs, [scale, zero, flag])
    function = helper.make_function(
        "own", "Own", ["a"], ["b"], [node("Abs", ["a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    return _onnx_bytes(graph, functions=[function])


def _onnx_bytes(graph: Any, functions: Any = ()) -> bytes:
    from onnx import helper

    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9, functions=functions)
    data: bytes = model.SerializeToString()
    return data
