"""TFLite flatbuffers in and out, through LiteRT's generated schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ghostdeploy.errors import InputFileError, MissingExtraError

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16


def schema() -> Any:
    """LiteRT's schema module. Raises MissingExtraError without ai-edge-litert."""
    try:
        from ai_edge_litert import schema_py_generated
    except ModuleNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "local") from error
    return schema_py_generated


def load(data: bytes, source: str) -> Any:
    """The ``ModelT`` object tree of ``data``. Raises InputFileError naming ``source``."""
    if not data:
        raise InputFileError(f"{source} is empty, not a TFLite model")
    if data[4:8] != IDENTIFIER:
        raise InputFileError(f"{source} is not a TFLite model (no TFL3 identifier)")
    generated = schema()
    # Damaged offsets surface as any kind of error; a flatbuffer has no checksum to ask first.
    try:
        model = generated.ModelT.InitFromPackedBuf(data, 0)
        _check(model)
    except Exception as error:
        raise InputFileError(f"{source} is a damaged TFLite model: {_brief(error)}") from error
    return model


def _brief(error: Exception) -> str:
    return (str(error).strip().split("\n", 1)[0] or type(error).__name__)[:120]


def _check(model: Any) -> None:
    """Every index points at something: what later code relies on."""
    if not model.subgraphs:
        raise ValueError("it has no graph")
    codes, buffers = len(model.operatorCodes), len(model.buffers)
    for graph in model.subgraphs:
        tensors = len(graph.tensors)
        for tensor in graph.tensors:
            _within(tensor.buffer, buffers, "buffer")
        for op in graph.operators or ():
            _within(op.opcodeIndex, codes, "operator code")
            for index in (*indices(op.inputs), *indices(op.outputs)):
                _within(index, tensors, "tensor", absent=-1)
        for index in (*indices(graph.inputs), *indices(graph.outputs)):
            _within(index, tensors, "tensor")


def indices(values: Any) -> list[int]:
    """A vector of tensor indices, which is None in a file that leaves it out."""
    return [] if values is None else [int(v) for v in values]


def _within(index: int, count: int, what: str, absent: int = 0) -> None:
    if not absent <= index < count:
        raise ValueError(f"{what} {index} does not exist")


def load_file(path: Path) -> Any:
    """``load`` of a file's content."""
    try:
        return load(path.read_bytes(), str(path))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}") from error


def tensor_name(tensor: Any) -> str:
    """Return what a ``TensorT`` is called; "" where the file leaves the name out."""
    return (tensor.name or b"").decode(errors="replace")


def dump(model: Any) -> bytes:
    """The flatbuffer of a ``ModelT`` object tree."""
    builder = _builder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _builder() -> Any:
    import flatbuffers

    class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
        """The schema wants buffers on 16 bytes (force_align), which Python's packer forgets."""

        def StartVector(self, elem_size: int, count: int, alignment: int) -> Any:
            return super().StartVector(
                elem_size, count, BUFFER_ALIGNMENT if elem_size == 1 else alignment
            )

    return AlignedBuilder(1024)
