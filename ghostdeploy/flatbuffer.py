"""TFLite flatbuffers in and out, through LiteRT's generated schema.

The generated classes have no types. What is read of them is told by protocols here, which go by
the generated names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ghostdeploy.errors import InputFileError, MissingExtraError, error_line
from ghostdeploy.files import open_input, read_input
from ghostdeploy.flatbuffer_tables import check_tables

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
MAX_FILE_BYTES = 16_000_000_000  # a language model's; what is beyond is no model
MAX_INLINE_BYTES = 2_000_000_000  # flatbuffers count to 2^31; what is more lies behind them
ABSENT_OFFSET = 1  # up to it an offset says that the content lies in the flatbuffer itself


class BufferT(Protocol):
    """Raw content, of a constant tensor or of metadata; None where there is none.

    In models beyond 2 GB it lies behind the flatbuffer, in ``size`` bytes from ``offset`` of the
    file. ``load`` brings it into ``data``, and ``dump`` decides where it lies.
    """

    data: NDArray[np.uint8] | None
    offset: int
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

    ``builtinOptions`` is the generated options table that its kind has. ``intermediates`` are
    tensors that some, an LSTM, keep their inner values in.
    """

    opcodeIndex: int
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]
    intermediates: NDArray[np.int32] | None
    builtinOptionsType: int
    builtinOptions: Any
    customOptions: NDArray[np.uint8] | None
    largeCustomOptionsOffset: int
    largeCustomOptionsSize: int


class OperatorCodeT(Protocol):
    """An operator's kind and version; files of before 2020 have the deprecated field only."""

    builtinCode: int
    deprecatedBuiltinCode: int
    customCode: bytes | None
    version: int


class SubGraphT(Protocol):
    """Operators in the order of running, on tensors that they name by index.

    A file may leave any of these vectors out, an operator's too: ``load`` makes them empty.
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
    metadataBuffer: NDArray[np.int32] | None
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
        check_tables(data)
        model: ModelT = generated.ModelT.InitFromPackedBuf(data, 0)
        _fill_vectors(model)
        _check(model)
        _fetch_contents(model, data)
    except Exception as error:
        raise InputFileError(
            f"{source} is a damaged TFLite model: {error_line(error, 120)}"
        ) from error
    return model


def _fill_vectors(model: ModelT) -> None:
    """Put empty vectors where the file left them out."""
    import numpy as np

    for graph in model.subgraphs or ():
        graph.tensors, graph.operators = graph.tensors or [], graph.operators or []
        owners: list[SubGraphT | OperatorT] = [graph, *graph.operators]
        for owner in owners:
            owner.inputs = np.zeros(0, np.int32) if owner.inputs is None else owner.inputs
            owner.outputs = np.zeros(0, np.int32) if owner.outputs is None else owner.outputs
    for signature in model.signatureDefs or ():
        signature.inputs, signature.outputs = signature.inputs or [], signature.outputs or []
    model.operatorCodes, model.buffers = model.operatorCodes or [], model.buffers or []


def _fetch_contents(model: ModelT, data: bytes) -> None:
    """Bring in what lies behind the flatbuffer. Raises ValueError where it leaves the file."""
    for number, buffer in enumerate(model.buffers):
        if buffer.data is None:
            what = f"buffer {number}"
            buffer.data = _content_behind(data, buffer.offset, buffer.size, what)
        buffer.offset = buffer.size = 0
    for graph in model.subgraphs:
        for op in graph.operators:
            if op.customOptions is None:
                place = op.largeCustomOptionsOffset, op.largeCustomOptionsSize
                op.customOptions = _content_behind(data, *place, "an operator's options")
            op.largeCustomOptionsOffset = op.largeCustomOptionsSize = 0


def _content_behind(data: bytes, offset: int, size: int, what: str) -> NDArray[np.uint8] | None:
    import numpy as np

    if offset <= ABSENT_OFFSET or not size:
        return None
    if offset + size > len(data):
        raise ValueError(f"{what} leaves the file")
    return np.frombuffer(data, np.uint8, size, offset)


def _check(model: ModelT) -> None:
    """Raise ValueError for an index that points at nothing: later code relies on them."""
    if not model.subgraphs:
        raise ValueError("it has no graph")
    codes, buffers = len(model.operatorCodes), len(model.buffers)
    for graph in model.subgraphs:
        tensors = len(graph.tensors)
        for tensor in graph.tensors:
            _check_index(tensor.buffer, buffers, "buffer")
        for op in graph.operators:
            _check_index(op.opcodeIndex, codes, "operator code")
            for index in (*indices(op.inputs), *indices(op.outputs), *indices(op.intermediates)):
                _check_index(index, tensors, "tensor", absent=-1)
        for index in (*indices(graph.inputs), *indices(graph.outputs)):
            _check_index(index, tensors, "tensor")
    for signature in model.signatureDefs or ():
        _check_index(signature.subgraphIndex, len(model.subgraphs), "graph")
        tensors = len(model.subgraphs[signature.subgraphIndex].tensors)
        for entry in (*signature.inputs, *signature.outputs):
            _check_index(entry.tensorIndex, tensors, "tensor")
    for buffer in (*(m.buffer for m in model.metadata or ()), *indices(model.metadataBuffer)):
        _check_index(buffer, buffers, "buffer")


def _check_index(index: int, count: int, what: str, absent: int = 0) -> None:
    if not absent <= index < count:
        raise ValueError(f"{what} {index} does not exist")


def indices(values: Iterable[int] | None) -> list[int]:
    """Return a vector of tensor indices, which is None in a file that leaves it out."""
    return [] if values is None else [int(v) for v in values]


def load_file(path: Path) -> ModelT:
    """Return the object tree of a file's content. Raises InputFileError as ``load`` does."""
    with open_input(path) as file:
        head = file.read(8)
    # A huge file of something else is not read to its end.
    return load(read_input(path, MAX_FILE_BYTES) if head[4:8] == IDENTIFIER else head, str(path))


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
    return enum_names("BuiltinOperator").get(
        operator_number(model.operatorCodes[op.opcodeIndex]), ""
    )


def operator_number(code: OperatorCodeT) -> int:
    """Return an operator's number: files of before 2020 hold it in the one-byte field only."""
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def append_buffer(model: ModelT, content: bytes) -> int:
    """Store ``content`` in a buffer of its own; returns its index."""
    import numpy as np

    buffer: BufferT = schema().BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def dump(model: ModelT) -> bytes:
    """Return the flatbuffer of an object tree; contents beyond 2 GB lie behind it."""
    contents = [(b, b.data) for b in model.buffers if b.data is not None and len(b.data)]
    if sum(len(data) for _, data in contents) <= MAX_INLINE_BYTES:
        return _pack(model)
    try:
        return _pack_apart(model, contents)
    finally:
        for buffer, data in contents:
            buffer.data, buffer.offset, buffer.size = data, 0, 0


def _pack_apart(model: ModelT, contents: Sequence[tuple[BufferT, NDArray[np.uint8]]]) -> bytes:
    for buffer, data in contents:
        buffer.data, buffer.offset, buffer.size = None, ABSENT_OFFSET, len(data)
    end = len(_pack(model))  # as long as with the offsets that are known now only
    parts = []
    for buffer, data in contents:
        padding = bytes(-end % BUFFER_ALIGNMENT)
        buffer.offset = end + len(padding)
        parts += [padding, bytes(data)]
        end = buffer.offset + len(data)
    return b"".join([_pack(model), *parts])


def _pack(model: ModelT) -> bytes:
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
