"""TFLite files of one operator, written with LiteRT's own generated schema, and how to run them."""

from __future__ import annotations

from typing import NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

XNNPACK = OpResolverType.AUTO
BUILTIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
REFERENCE = OpResolverType.BUILTIN_REF


class Q8(NamedTuple):
    """An int8 tensor that is no constant: value = scale * (number - zero_point)."""

    shape: tuple[int, ...]
    scale: float
    zero_point: int


def make(op, inputs, output, options=None, version=1):
    """Return the bytes of a file with one operator.

    ``inputs`` are shapes of float32 tensors, ``Q8``, or (array, scale) for a constant, quantized
    where the scale is not None; ``output`` is a shape or a ``Q8``. ``options`` is an ``…OptionsT``
    of the schema.
    """
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, op)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = version
    model.operatorCodes = [code]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(model, f"x{n}", given) for n, given in enumerate(inputs)]
    graph.tensors.append(_tensor(model, "y", output))
    node = schema.OperatorT()
    node.inputs, node.outputs = list(range(len(inputs))), [len(inputs)]
    if options is not None:
        node.builtinOptions = options
        kind = type(options).__name__.removesuffix("T")
        node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
    graph.operators = [node]
    graph.inputs = [n for n in node.inputs if not graph.tensors[n].buffer]
    graph.outputs = node.outputs
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(model, name, given):
    tensor = schema.TensorT()
    tensor.name, tensor.type = name, schema.TensorType.FLOAT32
    if isinstance(given, Q8):
        _quantize(tensor, given.scale, given.zero_point)
        given = given.shape
    constant = isinstance(given[0], np.ndarray)
    tensor.shape = list(given[0].shape if constant else given)
    if constant:
        array, scale = given
        if array.dtype == np.int32:
            tensor.type = schema.TensorType.INT32
        if scale is not None:
            _quantize(tensor, scale, 0)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    return tensor


def _quantize(tensor, scale, zero_point):
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]


def run(data, resolver, *arrays):
    """Return the first output of a file on ``arrays``."""
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
