"""Making operators, tensors and constants in a ``ModelT`` object tree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.flatbuffer import schema, tensor_name


def opcode(model: Any, builtin: int, version: int = 1) -> int:
    """The index of ``builtin`` among the model's operator codes, added where it is missing."""
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == builtin:
            code.version = max(code.version, version)
            return index
    code = schema().OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


@cache
def _builtin_names() -> dict[int, str]:
    codes = vars(schema().BuiltinOperator)
    return {value: name for name, value in codes.items() if isinstance(value, int)}


@cache
def _type_names() -> dict[int, str]:
    return {v: name for name, v in vars(schema().TensorType).items() if isinstance(v, int)}


_DTYPES = {"FLOAT32": np.float32, "INT8": np.int8, "INT32": np.int32}


@dataclass(frozen=True)
class GraphBuilder:
    """Adds to one subgraph of a model. Tensors are spoken of by their index.

    ``constants`` remembers those made, so that equal ones are stored once.
    """

    model: Any
    graph: Any
    constants: dict[tuple[object, ...], int] = field(default_factory=dict)

    def shape(self, tensor: int) -> Any:
        return self.graph.tensors[tensor].shape

    def like(self, tensor: int, shape: Sequence[int]) -> int:
        """A new tensor of the same type and quantization, nameless until ``name_after``."""
        made = copy.deepcopy(self.graph.tensors[tensor])
        made.shape, made.shapeSignature = np.array(shape, np.int32), None
        made.buffer = 0
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def constant(self, values: NDArray[Any], name: str, scale: float | None = None) -> int:
        """A new constant, quantized at ``scale`` (zero point 0) where one is given."""
        key = (values.tobytes(), values.shape, str(values.dtype), scale)
        if key not in self.constants:
            self.constants[key] = self._constant(values, name, scale)
        return self.constants[key]

    def _constant(self, values: NDArray[Any], name: str, scale: float | None) -> int:
        generated = schema()
        buffer, tensor = generated.BufferT(), generated.TensorT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        tensor.buffer, tensor.shape = len(self.model.buffers) - 1, np.array(values.shape, np.int32)
        tensor.type = getattr(generated.TensorType, str(values.dtype).upper())
        tensor.name = self._unique(name)
        if scale is not None:
            tensor.quantization = generated.QuantizationParametersT()
            tensor.quantization.scale = np.array([scale], np.float32)
            tensor.quantization.zeroPoint = np.array([0], np.int64)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _unique(self, name: str) -> bytes:
        taken = {tensor.name for tensor in self.graph.tensors}
        candidates = (f"{name}.{n}".encode() for n in count(2))
        return next(c for c in chain([name.encode()], candidates) if c not in taken)

    def operator(
        self, name: str, inputs: Sequence[int], output: int, options: Any, version: int = 1
    ) -> Any:
        """An operator; ``options`` is its ``…OptionsT``."""
        generated = schema()
        op = generated.OperatorT()
        op.opcodeIndex = opcode(self.model, getattr(generated.BuiltinOperator, name), version)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        union = type(options).__name__.removesuffix("T")
        op.builtinOptionsType = getattr(generated.BuiltinOptions, union)
        op.builtinOptions = options
        return op

    def kind(self, op: Any) -> str:
        """The operator's name in the schema."""
        return _builtin_names()[int(self.model.operatorCodes[op.opcodeIndex].builtinCode)]

    def numbers(self, tensor: int) -> NDArray[Any] | None:
        """A float32 constant's values; None for anything else."""
        values = self.values(tensor)
        return values if values is not None and values.dtype == np.float32 else None

    def values(self, tensor: int) -> NDArray[Any] | None:
        """A constant's values, as stored: of one of ``_DTYPES``; None for anything else."""
        if tensor < 0:
            return None
        entry = self.graph.tensors[tensor]
        dtype = _DTYPES.get(_type_names()[int(entry.type)])
        data = self.model.buffers[entry.buffer].data
        if dtype is None or data is None or not len(data):
            return None
        values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), dtype)
        return values.reshape([int(n) for n in entry.shape])

    def part(self, tensor: int, channels: slice) -> int:
        """A new constant: ``channels`` of the last axis of ``tensor``, with their scales."""
        values = self.values(tensor)
        assert values is not None
        values = np.ascontiguousarray(values[..., channels])
        made = copy.deepcopy(self.graph.tensors[tensor])
        buffer = schema().BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        made.buffer, made.shape = len(self.model.buffers) - 1, np.array(values.shape, np.int32)
        made.name = self._unique(tensor_name(made) + ".half")
        if len(scaling(made)[0]) > 1:
            made.quantization.scale = made.quantization.scale[channels]
            made.quantization.zeroPoint = made.quantization.zeroPoint[channels]
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def copy(self, op: Any, inputs: Sequence[int], output: int) -> Any:
        """The same operator on other tensors."""
        made = copy.deepcopy(op)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        return made

    def replace(self, gone: Sequence[Any], made: Sequence[Any]) -> None:
        """Put ``made`` where the last of ``gone`` stands."""
        last = gone[-1]
        self.graph.operators = [
            new
            for op in self.graph.operators
            if op is last or not any(op is g for g in gone)
            for new in (made if op is last else [op])
        ]

    def pad(self, source: int, output: int, amounts: NDArray[np.int32]) -> Any:
        """Zeros around; ``amounts`` (4, 2) before and behind each axis."""
        numbers = self.constant(amounts, "padding")
        return self.operator("PAD", [source, numbers], output, schema().PadOptionsT())

    def concatenation(self, inputs: Sequence[int], output: int, axis: int) -> Any:
        options = schema().ConcatenationOptionsT()
        options.axis = axis
        return self.operator("CONCATENATION", inputs, output, options, version=2)

    def depth_to_space(self, source: int, output: int, block: int) -> Any:
        options = schema().DepthToSpaceOptionsT()
        options.blockSize = block
        return self.operator("DEPTH_TO_SPACE", [source], output, options)

    def reshape(self, source: int, output: int) -> Any:
        """The same values seen in ``output``'s shape."""
        shape = np.array(self.shape(output), np.int32)
        options = schema().ReshapeOptionsT()
        options.newShape = shape
        numbers = self.constant(shape, "shape " + "×".join(map(str, shape)))
        return self.operator("RESHAPE", [source, numbers], output, options)

    def plain(self, name: str, source: int, output: int) -> Any:
        """An operator of one input without options."""
        op = schema().OperatorT()
        op.opcodeIndex = opcode(self.model, getattr(schema().BuiltinOperator, name))
        op.inputs, op.outputs = np.array([source], np.int32), np.array([output], np.int32)
        return op

    def pick(self, source: int, output: int, stride: tuple[int, int]) -> Any:
        """Every ``stride``-th pixel (height, width), by a depthwise 1×1 convolution of ones."""
        if self.graph.tensors[source].type == schema().TensorType.INT8:
            return self.depthwise_int8(source, output, window=(1, 1), stride=stride, scale=1.0)
        return self.depthwise_sum(source, output, window=(1, 1), stride=stride, weight=1.0)

    def depthwise_sum(
        self,
        source: int,
        output: int,
        *,
        window: tuple[int, int],
        stride: tuple[int, int],
        weight: float,
    ) -> Any:
        """The sum over each window times ``weight``, in float."""
        channels = int(self.shape(source)[3])
        weights = np.full((1, *window, channels), weight, np.float32)
        constants = [
            self.constant(weights, f"{weight:g}"),
            self.constant(np.zeros(channels, np.float32), "zeros"),
        ]
        return self._depthwise([source, *constants], output, stride)

    def depthwise_int8(
        self,
        source: int,
        output: int,
        *,
        window: tuple[int, int],
        stride: tuple[int, int],
        scale: float,
    ) -> Any:
        """The sum over each window times ``scale``, in int8."""
        channels = int(self.shape(source)[3])
        step = float(self.graph.tensors[source].quantization.scale[0])
        ones = self.constant(np.ones((1, *window, channels), np.int8), "ones", scale)
        zeros = self.constant(np.zeros(channels, np.int32), "zeros", step * scale)
        return self._depthwise([source, ones, zeros], output, stride, version=3)

    def _depthwise(
        self, inputs: Sequence[int], output: int, stride: tuple[int, int], version: int = 1
    ) -> Any:
        generated = schema()
        options = generated.DepthwiseConv2DOptionsT()
        options.padding = generated.Padding.VALID
        options.strideH, options.strideW = stride
        options.depthMultiplier = options.dilationHFactor = options.dilationWFactor = 1
        return self.operator("DEPTHWISE_CONV_2D", inputs, output, options, version)

    def named(self, op: Any, after: int, what: str) -> Any:
        """``op``, its output called after the tensor ``after`` that it helps to compute."""
        base = self.graph.tensors[after].name or b""
        self.graph.tensors[int(op.outputs[0])].name = base + b"." + what.encode()
        return op

    def name_after(self, tensor: int, operators: Sequence[Any]) -> None:
        """Call every intermediate tensor after ``tensor``, which keeps its own name."""
        base = self.graph.tensors[tensor].name or b""
        for number, op in enumerate(operators[:-1], 1):
            self.graph.tensors[int(op.outputs[0])].name = base + b"." + str(number).encode()


def scaling(tensor: Any) -> tuple[list[float], list[int]]:
    """The tensor's scales and zero points, empty where it is not quantized."""
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None:
        return [], []
    return list(quantization.scale), list(quantization.zeroPoint)


def readers_of(graph: Any) -> dict[int, list[Any]]:
    """The operators that read each tensor, by its index; None stands for the graph's output."""
    readers: dict[int, list[Any]] = {}
    for op in graph.operators:
        for index in dict.fromkeys(int(i) for i in op.inputs):
            readers.setdefault(index, []).append(op)
    for index in graph.outputs:
        readers.setdefault(int(index), []).append(None)
    return readers


def replace_operators(
    model: Any,
    name: str,
    matches: Callable[[GraphBuilder, Any], bool],
    replacement: Callable[[GraphBuilder, Any], list[Any]],
) -> int:
    """Put ``replacement(builder, op)`` for every operator ``name`` that ``matches(builder, op)``.

    Returns the number of operators replaced.
    """
    code, replaced = getattr(schema().BuiltinOperator, name), 0
    for graph in model.subgraphs:
        operators, builder = [], GraphBuilder(model, graph)
        for op in graph.operators:
            if model.operatorCodes[op.opcodeIndex].builtinCode == code and matches(builder, op):
                operators.extend(replacement(builder, op))
                replaced += 1
            else:
                operators.append(op)
        graph.operators = operators
    return replaced
