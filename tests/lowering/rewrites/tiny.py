"""Models of one or two operators, made with the flatbuffer schema, and a way to run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from ghostdeploy import flatbuffer

S = flatbuffer.schema()
TYPES = {
    "float32": S.TensorType.FLOAT32,
    "int8": S.TensorType.INT8,
    "int32": S.TensorType.INT32,
    "bool": S.TensorType.BOOL,
}
QUANTUM, ZERO = 0.05, 3  # of every int8 activation


@dataclass
class Tiny:
    """A model under construction; tensors are spoken of by their index."""

    model: Any
    graph: Any

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "float32",
        data: Any = None,
        scale: float | Sequence[float] | None = None,
    ) -> int:
        tensor = S.TensorT()
        tensor.shape, tensor.type = np.array(shape, np.int32), TYPES[dtype]
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.buffer = 0
        if data is not None:
            buffer = S.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        if dtype == "int8" or scale is not None:
            scales = np.atleast_1d(np.asarray(QUANTUM if scale is None else scale, np.float32))
            tensor.quantization = S.QuantizationParametersT()
            tensor.quantization.scale = scales
            zero = ZERO if scale is None else 0
            tensor.quantization.zeroPoint = np.full(len(scales), zero, np.int64)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def op(self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> Any:
        code = S.OperatorCodeT()
        code.builtinCode = getattr(S.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 3 if "CONV" in name else 1 if "RELU" in name or name == "RESHAPE" else 2
        self.model.operatorCodes.append(code)
        op = S.OperatorT()
        op.opcodeIndex = len(self.model.operatorCodes) - 1
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        kind = options.pop("kind", None)
        if kind:
            op.builtinOptionsType = getattr(S.BuiltinOptions, kind)
            op.builtinOptions = getattr(S, f"{kind}T")()
            for field, value in options.items():
                assert hasattr(op.builtinOptions, field), field
                setattr(op.builtinOptions, field, value)
        self.graph.operators.append(op)
        return op

    def bytes(self, source: int, target: int) -> bytes:
        self.ends([source], [target])
        return flatbuffer.dump(self.model)

    def ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.graph.inputs = np.array(inputs, np.int32)
        self.graph.outputs = np.array(outputs, np.int32)

    def another(self) -> Tiny:
        """A further graph of the same model."""
        graph = S.SubGraphT()
        graph.tensors, graph.operators = [], []
        self.model.subgraphs.append(graph)
        return Tiny(self.model, graph)

    def signature(self, key: str) -> None:
        """A signature of this graph as it is now."""
        made = S.SignatureDefT()
        made.signatureKey = key.encode()
        made.subgraphIndex = next(
            n for n, graph in enumerate(self.model.subgraphs) if graph is self.graph
        )
        made.inputs = [_entry("x", n, i) for n, i in enumerate(self.graph.inputs)]
        made.outputs = [_entry("y", n, i) for n, i in enumerate(self.graph.outputs)]
        self.model.signatureDefs = [*(self.model.signatureDefs or ()), made]


def _entry(letter: str, number: int, tensor: int) -> Any:
    entry = S.TensorMapT()
    entry.name, entry.tensorIndex = f"{letter}{number}".encode(), int(tensor)
    return entry


def tiny() -> Tiny:
    model, graph = S.ModelT(), S.SubGraphT()
    model.version, model.operatorCodes, model.buffers = 3, [], [S.BufferT()]
    graph.tensors, graph.operators = [], []
    model.subgraphs = [graph]
    return Tiny(model, graph)


def run(data: bytes, image: Any, *, xnnpack: bool) -> Any:
    kind = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def ops(data: bytes) -> list[str]:
    """The operators of a model by name."""
    model = flatbuffer.load(data, "tiny")
    names = {v: k for k, v in vars(S.BuiltinOperator).items() if isinstance(v, int)}
    return [names[model.operatorCodes[o.opcodeIndex].builtinCode] for o in _operators(model)]


def _operators(model: Any) -> list[Any]:
    return list(model.subgraphs[0].operators)


def rewritten(data: bytes, rewrite: Any) -> tuple[bytes, int]:
    """``data`` after ``rewrite.apply``, and the number of places changed."""
    model = flatbuffer.load(data, "tiny")
    count = rewrite.apply(model)
    return flatbuffer.dump(model), count


def random_image(shape: Sequence[int], dtype: str, seed: int = 0) -> Any:
    random = np.random.RandomState(seed)
    if dtype == "int8":
        return random.randint(-128, 128, shape).astype(np.int8)
    return random.uniform(-2, 2, shape).astype(np.float32)
