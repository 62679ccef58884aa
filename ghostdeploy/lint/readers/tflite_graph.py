"""TFLite files as neutral graphs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.flatbuffer import indices
from ghostdeploy.lint.graph import NUMERIC, Graph, Node, Value, size_of
from ghostdeploy.lint.vocabulary import TFLITE_OPS

SCHEMA_VERSION = 3
SMALL_BYTES = 4096  # what a constant may have for rules to see its numbers


def read_tflite(path: Path) -> Graph:
    """The graphs of a TFLite file. Raises InputFileError for a damaged one."""
    return graph_of(flatbuffer.load_file(path), str(path))


def graph_of(model: Any, source: str) -> Graph:
    """The neutral graph of a ``ModelT``: its first graph, which holds the others.

    A tensor's name is made unique by its index. Raises InputFileError where the model needs a
    newer schema than LiteRT's here.
    """
    if model.version > SCHEMA_VERSION:
        raise InputFileError(
            f"{source} is of TFLite schema version {model.version}; {SCHEMA_VERSION} is known here"
        )
    contents = _Contents(model)
    first, *others = model.subgraphs
    subgraphs = tuple(
        _graph(model, graph, contents, f"{source}#{number}")
        for number, graph in enumerate(others, start=1)
    )
    return _graph(model, first, contents, source, subgraphs)


def _graph(
    model: Any, graph: Any, contents: _Contents, source: str, subgraphs: tuple[Graph, ...] = ()
) -> Graph:
    names = _unique_names(graph.tensors)
    operators = graph.operators or ()
    written = {index for op in operators for index in indices(op.outputs)}
    read = indices(graph.inputs)
    written.update(read)
    values = {
        name: _value(name, tensor, contents, index in written)
        for index, (name, tensor) in enumerate(zip(names, graph.tensors, strict=True))
    }
    nodes = tuple(_node(model, graph, op, names, source) for op in operators)
    inputs = tuple(names[i] for i in read)
    outputs = tuple(names[i] for i in indices(graph.outputs))
    return Graph(source, "tflite", nodes, values, inputs, outputs, subgraphs)


class _Contents:
    """The model's buffers, each looked at once however many tensors share it."""

    def __init__(self, model: Any) -> None:
        self.buffers = model.buffers
        self._digests: dict[int, str] = {}

    def nbytes(self, buffer: int) -> int:
        data = self.buffers[buffer].data
        # Models beyond 2 GB keep their buffers behind the flatbuffer; 1 stands for "nowhere".
        size = self.buffers[buffer].size
        return size if data is None and size > 1 else 0 if data is None else len(data)

    def digest(self, buffer: int) -> str:
        data = self.buffers[buffer].data
        if data is None:
            return ""
        if buffer not in self._digests:
            self._digests[buffer] = hashlib.blake2b(_bytes(data), digest_size=16).hexdigest()
        return self._digests[buffer]

    def numbers(self, buffer: int, dtype: str) -> tuple[float, ...] | None:
        import numpy as np

        data = self.buffers[buffer].data
        if data is None or len(data) > SMALL_BYTES or dtype not in NUMERIC:
            return None
        itemsize = np.dtype(dtype).itemsize
        whole = bytes(_bytes(data))[: len(data) // itemsize * itemsize]
        return tuple(np.frombuffer(whole, dtype).tolist())


def _bytes(data: Any) -> Any:
    """A buffer's content, as a view where the file gave one (a list where code made it)."""
    return bytes(data) if isinstance(data, list) else memoryview(data).cast("B")


def _value(name: str, tensor: Any, contents: _Contents, computed: bool) -> Value:
    shape = _shape(tensor)
    dtype = _enum_names("TensorType").get(tensor.type, "?").lower()
    scale, zero_point, axis = _quantization(tensor)
    nbytes = contents.nbytes(tensor.buffer)
    empty = shape is not None and 0 in shape and not computed and not tensor.isVariable
    if not (nbytes or empty or tensor.externalBuffer):
        free = size_of(shape, dtype)
        return Value(name, shape, dtype, False, free, scale, zero_point, axis)
    return Value(
        name,
        shape,
        dtype,
        constant=True,
        nbytes=nbytes,
        scale=scale,
        zero_point=zero_point,
        axis=axis,
        storage=str(tensor.buffer),
        digest=contents.digest(tensor.buffer),
        numbers=contents.numbers(tensor.buffer, dtype),
    )


def _shape(tensor: Any) -> tuple[int, ...] | None:
    if tensor.shape is None:
        return None
    shape = indices(tensor.shape)
    signature = indices(tensor.shapeSignature)
    if len(signature) != len(shape):
        return tuple(shape)
    return tuple(-1 if free < 0 else side for side, free in zip(shape, signature, strict=True))


def _quantization(tensor: Any) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    q = tensor.quantization
    if q is None or q.scale is None or not len(q.scale):
        return (), (), 0
    return tuple(float(s) for s in q.scale), tuple(indices(q.zeroPoint)), q.quantizedDimension


def _unique_names(tensors: Iterable[Any]) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    for index, tensor in enumerate(tensors):
        name = (tensor.name or b"").decode(errors="replace")
        while not name or name in seen:
            name = f"{name}#{index}"
        seen.add(name)
        names.append(name)
    return names


@cache
def _enum_names(enum: str) -> dict[int, str]:
    members = vars(getattr(flatbuffer.schema(), enum))
    return {value: name for name, value in members.items() if isinstance(value, int)}


def _native(code: Any, source: str) -> str:
    """The operator's name in the schema, a custom one's after ``CUSTOM:``."""
    # Files of before 2020 hold the code in the one-byte field only, newer ones in both.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    native = _enum_names("BuiltinOperator").get(number)
    if native is None:
        raise InputFileError(
            f"{source} has TFLite operator {number}, which LiteRT's schema here does not know:"
            " it is damaged, or made for a newer runtime"
        )
    if native == "CUSTOM":
        return f"CUSTOM:{(code.customCode or b'').decode(errors='replace')}"
    return native


def _node(model: Any, graph: Any, op: Any, names: list[str], source: str) -> Node:
    native = _native(model.operatorCodes[op.opcodeIndex], source)
    inputs = tuple(names[i] for i in indices(op.inputs) if i >= 0)
    outputs = tuple(names[i] for i in indices(op.outputs) if i >= 0)
    name = outputs[0] if outputs else native
    return Node(
        name=name,
        op=TFLITE_OPS.get(native, native.lower()),
        native=native,
        inputs=inputs,
        outputs=outputs,
        # A fused operator is called after all its parts: "a/Relu;a/conv".
        module=name.partition(";")[0].rpartition("/")[0],
        kernel=_kernel(graph, op, native),
        attributes=dict(vars(op.builtinOptions)) if op.builtinOptions is not None else {},
        custom=native.startswith("CUSTOM:"),
    )


def _kernel(graph: Any, op: Any, native: str) -> tuple[int, int] | None:
    inputs = indices(op.inputs)
    if native in ("CONV_2D", "DEPTHWISE_CONV_2D") and len(inputs) > 1:
        shape = indices(graph.tensors[inputs[1]].shape)
        return (shape[1], shape[2]) if len(shape) == 4 else None
    if native in ("AVERAGE_POOL_2D", "MAX_POOL_2D") and op.builtinOptions is not None:
        return op.builtinOptions.filterHeight, op.builtinOptions.filterWidth
    return None
