"""Tensors, constants and operators, added to a ``ModelT`` object tree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.flatbuffer import (
    ModelT,
    OperatorT,
    SubGraphT,
    TensorT,
    append_buffer,
    enum_names,
    indices,
    operator_kind,
    operator_number,
    schema,
    tensor_name,
    tensor_shape,
)

Values = NDArray[Any]  # of one of _DTYPES
_DTYPES = {"FLOAT32": np.float32, "INT8": np.int8, "INT32": np.int32}


def add_opcode(model: ModelT, builtin: int, version: int = 1) -> int:
    """Return the index of ``builtin`` among the operator codes, added where it is missing."""
    for index, code in enumerate(model.operatorCodes):
        if operator_number(code) == builtin:
            code.version = max(code.version, version)
            return index
    code = schema().OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


@dataclass(frozen=True)
class GraphBuilder:
    """Adds to one subgraph of a model. Tensors are spoken of by their index.

    ``constants`` remembers those made, so that equal ones are stored once.
    """

    model: ModelT
    graph: SubGraphT
    constants: dict[tuple[object, ...], int] = field(default_factory=dict)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return the sides of a tensor."""
        return tensor_shape(self.graph.tensors[tensor])

    def kind(self, op: OperatorT) -> str:
        """Return the operator's name in the schema."""
        return operator_kind(self.model, op)

    def values(self, tensor: int) -> Values | None:
        """Return a constant's values as stored; None for another tensor or type than _DTYPES."""
        if tensor < 0:
            return None
        entry = self.graph.tensors[tensor]
        dtype = _DTYPES.get(enum_names("TensorType").get(entry.type, ""))
        data, shape = self.model.buffers[entry.buffer].data, tensor_shape(entry)
        if dtype is None or data is None or not len(data):
            return None
        if len(data) != prod(shape) * np.dtype(dtype).itemsize:
            return None
        return np.frombuffer(np.asarray(data, np.uint8).tobytes(), dtype).reshape(shape)

    def float_values(self, tensor: int) -> NDArray[np.float32] | None:
        """Return a float32 constant's values; None for anything else."""
        values = self.values(tensor)
        return values if values is not None and values.dtype == np.float32 else None

    def add_like(self, tensor: int, shape: Sequence[int]) -> int:
        """Add a tensor of the same type and quantization; ``name_output`` gives it a name."""
        made = copy.deepcopy(self.graph.tensors[tensor])
        made.shape, made.shapeSignature = np.array(shape, np.int32), None
        made.buffer = 0
        return self._add(made)

    def add_constant(self, values: Values, name: str, scale: float | None = None) -> int:
        """Add a constant, quantized at ``scale`` (zero point 0) where one is given."""
        key = (values.tobytes(), values.shape, str(values.dtype), scale)
        if key not in self.constants:
            self.constants[key] = self._add_constant(values, name, scale)
        return self.constants[key]

    def _add_constant(self, values: Values, name: str, scale: float | None) -> int:
        generated = schema()
        tensor: TensorT = generated.TensorT()
        tensor.buffer = append_buffer(self.model, values.tobytes())
        tensor.shape = np.array(values.shape, np.int32)
        tensor.type = getattr(generated.TensorType, str(values.dtype).upper())
        tensor.name = self._unique(name)
        if scale is not None:
            quantization = generated.QuantizationParametersT()
            quantization.scale = np.array([scale], np.float32)
            quantization.zeroPoint = np.array([0], np.int64)
            tensor.quantization = quantization
        return self._add(tensor)

    def add_slice(self, tensor: int, channels: slice) -> int:
        """Add a constant: ``channels`` of the last axis of ``tensor``, with their scales."""
        values = self.values(tensor)
        assert values is not None
        values = np.ascontiguousarray(values[..., channels])
        made = copy.deepcopy(self.graph.tensors[tensor])
        made.buffer = append_buffer(self.model, values.tobytes())
        made.shape, made.shapeSignature = np.array(values.shape, np.int32), None
        made.name = self._unique(tensor_name(made) + ".half")
        scales, zero_points = scaling(made)
        if len(scales) > 1:
            assert made.quantization is not None
            made.quantization.scale = np.array(scales[channels], np.float32)
            made.quantization.zeroPoint = np.array(zero_points[channels], np.int64)
        return self._add(made)

    def _add(self, tensor: TensorT) -> int:
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _unique(self, name: str) -> bytes:
        taken = {tensor.name for tensor in self.graph.tensors}
        candidates = (f"{name}.{n}".encode() for n in count(2))
        return next(c for c in chain([name.encode()], candidates) if c not in taken)

    def make_operator(
        self, name: str, inputs: Sequence[int], output: int, options: Any = None, version: int = 1
    ) -> OperatorT:
        """Make an operator; ``options`` is its ``…OptionsT`` where it has any."""
        generated = schema()
        op: OperatorT = generated.OperatorT()
        op.opcodeIndex = add_opcode(self.model, getattr(generated.BuiltinOperator, name), version)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options is not None:
            union = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(generated.BuiltinOptions, union)
            op.builtinOptions = options
        return op

    def copy_operator(self, op: OperatorT, inputs: Sequence[int], output: int) -> OperatorT:
        """Make the same operator on other tensors."""
        made = copy.deepcopy(op)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        return made

    def replace(self, gone: Sequence[OperatorT], made: Sequence[OperatorT]) -> None:
        """Put ``made`` where the last of ``gone`` stands."""
        last = gone[-1]
        self.graph.operators = [
            new
            for op in self.graph.operators
            if op is last or not any(op is g for g in gone)
            for new in (made if op is last else [op])
        ]

    def name_output(self, op: OperatorT, after: int, what: str) -> OperatorT:
        """Call the output of ``op`` after the tensor ``after`` that it helps to compute."""
        base = self.graph.tensors[after].name or b""
        self.graph.tensors[int(op.outputs[0])].name = base + b"." + what.encode()
        return op

    def number_outputs(self, operators: Sequence[OperatorT], after: int) -> None:
        """Call all outputs but the last after the tensor ``after``, with a number each."""
        for number, op in enumerate(operators[:-1], 1):
            self.name_output(op, after, str(number))


def scaling(tensor: TensorT) -> tuple[list[float], list[int]]:
    """Return the tensor's scales and zero points, empty where it is not quantized."""
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None:
        return [], []
    return list(quantization.scale), indices(quantization.zeroPoint)


def readers_of(graph: SubGraphT) -> dict[int, list[OperatorT | None]]:
    """Return the operators that read each tensor, by its index; None is the graph's output."""
    readers: dict[int, list[OperatorT | None]] = {}
    for op in graph.operators:
        for index in dict.fromkeys(int(i) for i in op.inputs):
            readers.setdefault(index, []).append(op)
    for index in graph.outputs:
        readers.setdefault(int(index), []).append(None)
    return readers


def replace_operators(
    model: ModelT,
    name: str,
    matches: Callable[[GraphBuilder, OperatorT], bool],
    replacement: Callable[[GraphBuilder, OperatorT], list[OperatorT]],
) -> int:
    """Put ``replacement(builder, op)`` for every operator ``name`` that ``matches(builder, op)``.

    Returns the number of operators replaced.
    """
    replaced = 0
    for graph in model.subgraphs:
        operators: list[OperatorT] = []
        builder = GraphBuilder(model, graph)
        for op in graph.operators:
            if builder.kind(op) == name and matches(builder, op):
                operators.extend(replacement(builder, op))
                replaced += 1
            else:
                operators.append(op)
        graph.operators = operators
    return replaced
