"""TFLite files of one operator each, in every type of activations: questions to a runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.linting.needed_versions import HYBRID, NEEDED
from ghostdeploy.litert import open_interpreter, operators_of

S = flatbuffer.schema()
IMAGE = (1, 4, 4, 8)
# Scale and zero point that the kernels of these demand of an output, by its type.
RANGES = {
    "LOGISTIC": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)},
    "SOFTMAX": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)},
    "TANH": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)},
    "L2_NORMALIZATION": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128)},
    "LOG_SOFTMAX": {"int8": (16 / 256, 127), "uint8": (16 / 256, 255)},
}


@dataclass(frozen=True)
class Const:
    """A constant input: numbers of its own type, or weights of the question's type."""

    values: Any
    dtype: str = "int32"


def weights(*shape: int) -> Const:
    """Return weights of the question's type (int8 on float activations for ``dynamic``)."""
    return Const(np.ones(shape), "weights")


def bias(count: int) -> Const:
    """Return a bias: int32 on integer activations, int64 on int16, else float32."""
    return Const(np.zeros(count), "bias")


@dataclass(frozen=True)
class Case:
    """One operator's file: ``inputs`` are shapes, constants, or both in the operator's order."""

    inputs: Sequence[tuple[int, ...] | Const]
    output: tuple[int, ...]
    options: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    out_type: str = ""  # the input's where it is empty
    outputs: int = 1


UNARY = (
    *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "L2_NORMALIZATION", "LOG"),
    *("LOGISTIC", "LOG_SOFTMAX", "NEG", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND"),
    *("RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "TANH", "ZEROS_LIKE"),
)
BINARY = (
    *("ADD", "DIV", "FLOOR_DIV", "FLOOR_MOD", "MAXIMUM", "MINIMUM", "MUL", "POW"),
    *("SQUARED_DIFFERENCE", "SUB"),
)
REDUCTIONS = ("MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM")
BINARY_OPTIONS = {
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "DIV": "DivOptions",
}
POOL = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
STRIDES = {"strideH": 1, "strideW": 1}
DILATIONS = {"dilationHFactor": 1, "dilationWFactor": 1}
ZEROS, ONES, TWOS = [0, 0, 0, 0], [1, 1, 1, 1], [1, 2, 2, 1]

CASES: dict[tuple[str, str], Case] = {
    **{(op, ""): Case([IMAGE], IMAGE) for op in UNARY},
    **{(op, ""): Case([IMAGE, IMAGE], IMAGE, BINARY_OPTIONS.get(op, "")) for op in BINARY},
    **{
        (op, ""): Case([IMAGE, Const([1, 2])], (1, 1, 1, 8), "ReducerOptions", {"keepDims": True})
        for op in REDUCTIONS
    },
    ("ARG_MAX", ""): Case(
        [IMAGE, Const(3)], (1, 4, 4), "ArgMaxOptions", {"outputType": 2}, "int32"
    ),
    ("AVERAGE_POOL_2D", ""): Case([IMAGE], (1, 2, 2, 8), "Pool2DOptions", POOL),
    ("BATCH_MATMUL", ""): Case([(1, 4, 8), (1, 8, 4)], (1, 4, 4), "BatchMatMulOptions"),
    ("BATCH_MATMUL", "by a constant"): Case(
        [(1, 4, 8), weights(1, 8, 4)], (1, 4, 4), "BatchMatMulOptions"
    ),
    ("BROADCAST_TO", ""): Case([(1, 1, 1, 8), Const([1, 4, 4, 8])], IMAGE),
    ("CAST", ""): Case([IMAGE], IMAGE, "CastOptions", {}, "int32"),
    ("CONCATENATION", ""): Case([IMAGE, IMAGE], (1, 4, 4, 16), "ConcatenationOptions", {"axis": 3}),
    ("CONV_2D", ""): Case(
        [IMAGE, weights(8, 1, 1, 8), bias(8)], IMAGE, "Conv2DOptions", STRIDES | DILATIONS
    ),
    ("CONV_2D", "grouped"): Case(
        [IMAGE, weights(8, 1, 1, 4), bias(8)], IMAGE, "Conv2DOptions", STRIDES | DILATIONS
    ),
    ("CUMSUM", ""): Case([IMAGE, Const(3)], IMAGE, "CumsumOptions"),
    ("DEPTHWISE_CONV_2D", ""): Case(
        [IMAGE, weights(1, 3, 3, 8), bias(8)],
        IMAGE,
        "DepthwiseConv2DOptions",
        STRIDES | DILATIONS | {"depthMultiplier": 1},
    ),
    ("DEPTH_TO_SPACE", ""): Case([IMAGE], (1, 8, 8, 2), "DepthToSpaceOptions", {"blockSize": 2}),
    ("DEQUANTIZE", ""): Case([IMAGE], IMAGE, out_type="float32"),
    ("EXPAND_DIMS", ""): Case([(4, 4, 8), Const(0)], IMAGE),
    ("FULLY_CONNECTED", ""): Case(
        [(1, 8), weights(8, 8), bias(8)], (1, 8), "FullyConnectedOptions"
    ),
    ("GATHER", ""): Case([IMAGE, Const([0, 1])], (1, 4, 4, 2), "GatherOptions", {"axis": 3}),
    ("GELU", ""): Case([IMAGE], IMAGE, "GeluOptions"),
    ("L2_POOL_2D", ""): Case([IMAGE], (1, 2, 2, 8), "Pool2DOptions", POOL),
    ("LEAKY_RELU", ""): Case([IMAGE], IMAGE, "LeakyReluOptions", {"alpha": 0.1}),
    ("MAX_POOL_2D", ""): Case([IMAGE], (1, 2, 2, 8), "Pool2DOptions", POOL),
    ("MIRROR_PAD", ""): Case(
        [IMAGE, Const([[0, 0], [1, 1], [1, 1], [0, 0]])], (1, 6, 6, 8), "MirrorPadOptions"
    ),
    ("PACK", ""): Case([(4, 8), (4, 8)], (2, 4, 8), "PackOptions", {"valuesCount": 2}),
    ("PAD", ""): Case([IMAGE, Const([[0, 0], [1, 1], [1, 1], [0, 0]])], (1, 6, 6, 8), "PadOptions"),
    ("PADV2", ""): Case(
        [IMAGE, Const([[0, 0], [1, 1], [1, 1], [0, 0]]), Const([0.0], "value")],
        (1, 6, 6, 8),
        "PadV2Options",
    ),
    ("PRELU", ""): Case([IMAGE, weights(1, 1, 8)], IMAGE),
    ("QUANTIZE", ""): Case([IMAGE], IMAGE, "QuantizeOptions", {}, "int8"),
    ("QUANTIZE", "to uint8"): Case([IMAGE], IMAGE, "QuantizeOptions", {}, "uint8"),
    ("RESHAPE", ""): Case([IMAGE, Const([1, 128])], (1, 128), "ReshapeOptions"),
    ("RESIZE_BILINEAR", ""): Case([IMAGE, Const([8, 8])], (1, 8, 8, 8), "ResizeBilinearOptions"),
    ("RESIZE_NEAREST_NEIGHBOR", ""): Case(
        [IMAGE, Const([8, 8])], (1, 8, 8, 8), "ResizeNearestNeighborOptions"
    ),
    ("REVERSE_V2", ""): Case([IMAGE, Const([1])], IMAGE, "ReverseV2Options"),
    ("SHAPE", ""): Case([IMAGE], (4,), "ShapeOptions", {"outType": 2}, "int32"),
    ("SLICE", ""): Case([IMAGE, Const(ZEROS), Const([1, 2, 2, 8])], (1, 2, 2, 8), "SliceOptions"),
    ("SOFTMAX", ""): Case([IMAGE], IMAGE, "SoftmaxOptions", {"beta": 1.0}),
    ("SPACE_TO_DEPTH", ""): Case([IMAGE], (1, 2, 2, 32), "SpaceToDepthOptions", {"blockSize": 2}),
    ("SPLIT", ""): Case(
        [Const(3), IMAGE], (1, 4, 4, 4), "SplitOptions", {"numSplits": 2}, outputs=2
    ),
    ("SPLIT_V", ""): Case(
        [IMAGE, Const([4, 4]), Const(3)], (1, 4, 4, 4), "SplitVOptions", {"numSplits": 2}, outputs=2
    ),
    ("SQUEEZE", ""): Case([IMAGE], (4, 4, 8), "SqueezeOptions", {"squeezeDims": [0]}),
    ("STRIDED_SLICE", ""): Case(
        [IMAGE, Const(ZEROS), Const([1, 2, 2, 8]), Const(ONES)], (1, 2, 2, 8), "StridedSliceOptions"
    ),
    ("STRIDED_SLICE", "stepped"): Case(
        [IMAGE, Const(ZEROS), Const([1, 4, 4, 8]), Const(TWOS)], (1, 2, 2, 8), "StridedSliceOptions"
    ),
    ("TILE", ""): Case([IMAGE, Const(TWOS)], (1, 8, 8, 8), "TileOptions"),
    ("TRANSPOSE", ""): Case([IMAGE, Const([0, 3, 1, 2])], (1, 8, 4, 4), "TransposeOptions"),
    ("TRANSPOSE_CONV", ""): Case(
        [Const([1, 8, 8, 8]), weights(8, 2, 2, 8), IMAGE, bias(8)],
        (1, 8, 8, 8),
        "TransposeConvOptions",
        {"strideH": 2, "strideW": 2},
    ),
    ("UNPACK", ""): Case([(2, 4, 8)], (4, 8), "UnpackOptions", {"num": 2}, outputs=2),
}


def make(operator: str, form: str, dtype: str) -> bytes:
    """Return a file of one operator whose activations are of ``dtype`` (a column of the table)."""
    return OneOperator(operator, "float32" if dtype == HYBRID else dtype, dtype).bytes(
        CASES[operator, form]
    )


class OneOperator:
    """A file under construction. ``activations`` is a tensor's type, ``kind`` the question's."""

    def __init__(self, operator: str, activations: str, kind: str) -> None:
        self.operator, self.activations, self.kind = operator, activations, kind
        self.model, self.graph = S.ModelT(), S.SubGraphT()
        self.model.version, self.model.buffers = 3, [S.BufferT()]
        self.model.subgraphs, self.graph.tensors = [self.graph], []

    def bytes(self, case: Case) -> bytes:
        """Return the whole file."""
        op = S.OperatorT()
        inputs = [self._input(given) for given in case.inputs]
        out_type = case.out_type or self.activations
        outputs = [self._output(case.output, out_type) for _ in range(case.outputs)]
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if case.options:
            op.builtinOptionsType = getattr(S.BuiltinOptions, case.options)
            op.builtinOptions = getattr(S, f"{case.options}T")()
            for name, value in case.fields.items():
                assert hasattr(op.builtinOptions, name), name
                setattr(op.builtinOptions, name, value)
        self.graph.operators, self.model.operatorCodes = [op], [self._code()]
        free = [i for i in inputs if not self.graph.tensors[i].buffer]
        self.graph.inputs, self.graph.outputs = np.array(free, np.int32), op.outputs
        return flatbuffer.dump(self.model)

    def _code(self) -> Any:
        code = S.OperatorCodeT()
        code.builtinCode = getattr(S.BuiltinOperator, self.operator)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = NEEDED.get(self.operator, {}).get(self.kind, 1)
        return code

    def _input(self, given: tuple[int, ...] | Const) -> int:
        if not isinstance(given, Const):
            return self._tensor(given, self.activations, (0.05, 0))
        quantized = self.activations in ("int8", "uint8", "int16")
        if given.dtype == "int32":
            return self._tensor(np.array(given.values, np.int32).shape, "int32", None, given.values)
        if given.dtype == "bias":
            wide = "int64" if self.activations == "int16" else "int32"
            dtype = wide if quantized else "float32"
            return self._tensor(np.shape(given.values), dtype, (0.05 * 0.05, 0), given.values)
        dtype = self.activations
        if given.dtype == "weights":
            dtype = {HYBRID: "int8", "int16": "int8"}.get(self.kind, self.activations)
        return self._tensor(np.shape(given.values), dtype, (0.05, 0), given.values)

    def _output(self, shape: tuple[int, ...], dtype: str) -> int:
        scaling = RANGES.get(self.operator, {}).get(dtype, (0.05, 0))
        return self._tensor(shape, dtype, scaling)

    def _tensor(
        self,
        shape: Sequence[int],
        dtype: str,
        scaling: tuple[float, int] | None,
        values: Any = None,
    ) -> int:
        tensor = S.TensorT()
        tensor.name, tensor.buffer = f"t{len(self.graph.tensors)}".encode(), 0
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(S.TensorType, dtype.upper())
        if scaling and dtype in ("int8", "uint8", "int16", "int32", "int64") and self._quantizes():
            q = tensor.quantization = S.QuantizationParametersT()
            q.scale, q.zeroPoint = np.array([scaling[0]], np.float32), np.array([scaling[1]])
        if values is not None:
            content = np.array(values).astype(dtype).tobytes()
            tensor.buffer = flatbuffer.append_buffer(self.model, content)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _quantizes(self) -> bool:
        return self.kind in ("int8", "uint8", "int16", HYBRID) or self.operator == "QUANTIZE"


def ask(model: bytes) -> str:
    """Return what the LiteRT of this process does: ``yes`` (XNNPACK), ``no`` (its own), ``-``.

    The last is neither: it refuses the file.
    """
    try:
        interpreter = open_interpreter(model, threads=1)
        interpreter.allocate_tensors()
        if any(op["op_name"] == "DELEGATE" for op in operators_of(interpreter)):
            return "yes"
        for detail in interpreter.get_input_details():
            ones: Any = np.ones(detail["shape"], detail["dtype"])
            interpreter.set_tensor(detail["index"], ones)
        interpreter.invoke()
    except (RuntimeError, ValueError):
        return "-"
    return "no"


def make_nearest(before: int, after: int, half_pixel: bool) -> bytes:
    """Return a file that resizes the rows of a (1, before, 1, 1) image to ``after``, by nearest."""
    case = Case(
        [(1, before, 1, 1), Const([after, 1])],
        (1, after, 1, 1),
        "ResizeNearestNeighborOptions",
        {"halfPixelCenters": half_pixel},
    )
    return OneOperator("RESIZE_NEAREST_NEIGHBOR", "float32", "float32").bytes(case)
