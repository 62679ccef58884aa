"""TFLite flatbuffers in and out, through LiteRT's generated schema.

The generated classes have no types. What is read of them is told by protocols here, which go by
the generated names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ghostdeploy.errors import InputFileError, MissingExtraError, error_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16


class BufferT(Protocol):
    """Raw content, of a constant tensor or of metadata; None where there is none.

    ``size`` is that of content which lies behind the flatbuffer, in models beyond 2 GB.
    """

    data: NDArray[np.uint8] | None
    size: int


class QuantizationParametersT(Protocol):
    """One scale and zero point, or one a channel of the axis ``quantizedDimension``.

    ``min`` and ``max`` are a float tensor's range, for a quantizer that comes later.
    """

    min: NDArray[np.float32] | None
    max: NDArray[np.float32] | None
    scale: NDArray[np.float32] | None
    zeroPoint: NDArray[np.int64] | None
    quantizedDimension: int


class TensorT(Protocol):
    """A tensor; ``buffer`` is the index of its content, 0 where it is computed.

    ``shapeSignature`` has −1 for free sides. ``externalBuffer`` is not 0 where the content lies in
    another file.
    """

    name: bytes | None
    type: int
    shape: NDArray[np.int32] | None
    shapeSignature: NDArray[np.int32] | None
    buffer: int
    externalBuffer: int
    isVariable: bool
    quantization: QuantizationParametersT | None


class OperatorT(Protocol):
    """An operator on tensors, by index; −1 is an input that is left out.

    ``builtinOptions`` is the generated options table that its kind has.
    """

    opcodeIndex: int
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]
    builtinOptionsType: int
    builtinOptions: Any


class OperatorCodeT(Protocol):
    """An operator's kind and version; files of before 2020 have the deprecated field only."""

    builtinCode: int
    deprecatedBuiltinCode: int
    customCode: bytes | None
    version: int


class SubGraphT(Protocol):
    """Operators in the order of running, on tensors that they name by index.

    A file may leave any of these vectors out, an operator's too: ``indices`` reads None as well.
    """

    name: bytes | None
    tensors: list[TensorT]
    operators: list[OperatorT]
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]


class TensorMapT(Protocol):
    """A signature's name for a tensor."""

    name: bytes
    tensorIndex: int


class SignatureDefT(Protocol):
    """An entry point, with names for its inputs and outputs."""

    signatureKey: bytes
    subgraphIndex: int
    inputs: list[TensorMapT]
    outputs: list[TensorMapT]


class MetadataT(Protocol):
    """A name for a buffer of metadata."""

    name: bytes
    buffer: int


class ModelT(Protocol):
    """A TFLite file as a tree of objects."""

    version: int
    description: bytes | None
    operatorCodes: list[OperatorCodeT]
    subgraphs: list[SubGraphT]
    buffers: list[BufferT]
    metadata: list[MetadataT] | None
    signatureDefs: list[SignatureDefT] | None

    def Pack(self, builder: Any) -> int:
        """Write the tree into a flatbuffer's builder; returns its offset."""


def schema() -> Any:
    """Return LiteRT's schema module. Raises MissingExtraError without ai-edge-litert."""
    try:
        from ai_edge_litert import schema_py_generated
    except ModuleNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "local") from error
    return schema_py_generated


def load(data: bytes, source: str) -> ModelT:
    """Return the object tree of ``data``. Raises InputFileError naming ``source``."""
    if not data:
        raise InputFileError(f"{source} is empty, not a TFLite model")
    if data[4:8] != IDENTIFIER:
        raise InputFileError(f"{source} is not a TFLite model (no TFL3 identifier)")
    generated = schema()
    # Damaged offsets surface as any kind of error; a flatbuffer has no checksum to ask first.
    try:
        model: ModelT = generated.ModelT.InitFromPackedBuf(data, 0)
        _check(model)
    except Exception as error:
        raise InputFileError(
            f"{source} is a damaged TFLite model: {error_line(error, 120)}"
        ) from error
    return model


def _check(model: ModelT) -> None:
    """Raise ValueError for an index that points at nothing: later code relies on them."""
    if not model.subgraphs:
        raise ValueError("it has no graph")
    codes, buffers = len(model.operatorCodes), len(model.buffers)
    for graph in model.subgraphs:
        tensors = len(graph.tensors)
        for tensor in graph.tensors:
            _check_index(tensor.buffer, buffers, "buffer")
        for op in graph.operators or ():
            _check_index(op.opcodeIndex, codes, "operator code")
            for index in (*indices(op.inputs), *indices(op.outputs)):
                _check_index(index, tensors, "tensor", absent=-1)
        for index in (*indices(graph.inputs), *indices(graph.outputs)):
            _check_index(index, tensors, "tensor")


def _check_index(index: int, count: int, what: str, absent: int = 0) -> None:
    if not absent <= index < count:
        raise ValueError(f"{what} {index} does not exist")


def indices(values: Iterable[int] | None) -> list[int]:
    """Return a vector of tensor indices, which is None in a file that leaves it out."""
    return [] if values is None else [int(v) for v in values]


def load_file(path: Path) -> ModelT:
    """Return the object tree of a file's content. Raises InputFileError as ``load`` does."""
    try:
        return load(path.read_bytes(), str(path))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}") from error


def tensor_name(tensor: TensorT) -> str:
    """Return what ``tensor`` is called; "" where the file leaves the name out."""
    return (tensor.name or b"").decode(errors="replace")


def tensor_shape(tensor: TensorT) -> tuple[int, ...]:
    """Return the sides of ``tensor``; () for a scalar, whose shape a file may leave out."""
    return tuple(indices(tensor.shape))


@cache
def enum_names(enum: str) -> dict[int, str]:
    """Return the names of an enumeration of the schema by value: ``{0: "ADD", …}``."""
    members = vars(getattr(schema(), enum))
    return {value: name for name, value in members.items() if isinstance(value, int)}


def operator_kind(model: ModelT, op: OperatorT) -> str:
    """Return the schema's name for what ``op`` does; "" where this schema does not know it."""
    return enum_names("BuiltinOperator").get(model.operatorCodes[op.opcodeIndex].builtinCode, "")


def append_buffer(model: ModelT, content: bytes) -> int:
    """Store ``content`` in a buffer of its own; returns its index."""
    import numpy as np

    buffer: BufferT = schema().BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def dump(model: ModelT) -> bytes:
    """Return the flatbuffer of an object tree."""
    builder = _make_builder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _make_builder() -> Any:
    import flatbuffers

    class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
        """The schema wants buffers on 16 bytes (force_align), which Python's packer forgets."""

        def StartVector(self, elem_size: int, count: int, alignment: int) -> Any:
            return super().StartVector(
                elem_size, count, BUFFER_ALIGNMENT if elem_size == 1 else alignment
            )

    return AlignedBuilder(1024)
