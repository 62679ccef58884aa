"""TFLite tensors as values: their shapes, types and scales, and what the constants hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ghostdeploy.flatbuffer import enum_names, indices
from ghostdeploy.linting.graph import NUMERIC, Value, count_bytes

SMALL_BYTES = 4096  # what a constant may have for rules to see its numbers


def make_unique(names: Iterable[str]) -> list[str]:
    """Return the tensors' names, made unique by their index where two have one or one has none."""
    made: list[str] = []
    seen: set[str] = set()
    for index, name in enumerate(names):
        while not name or name in seen:
            name = f"{name}#{index}"
        seen.add(name)
        made.append(name)
    return made


class Contents:
    """The buffers of a ``ModelT``, each looked at once however many tensors share it."""

    def __init__(self, model: Any) -> None:
        self.buffers = model.buffers
        self._digests: dict[int, str] = {}

    def nbytes(self, buffer: int) -> int:
        """Return the size of a buffer."""
        data = self.buffers[buffer].data
        # Models beyond 2 GB keep their buffers behind the flatbuffer; 1 stands for "nowhere".
        size = self.buffers[buffer].size
        return size if data is None and size > 1 else 0 if data is None else len(data)

    def digest(self, buffer: int) -> str:
        """Return what identifies a buffer's content, "" where the file holds none."""
        data = self.buffers[buffer].data
        if data is None:
            return ""
        if buffer not in self._digests:
            self._digests[buffer] = hashlib.blake2b(_bytes(data), digest_size=16).hexdigest()
        return self._digests[buffer]

    def head(self, buffer: int, count: int) -> bytes:
        """Return the first ``count`` bytes of a buffer's content, fewer where it has no more."""
        data = self.buffers[buffer].data
        return b"" if data is None else bytes(_bytes(data)[:count])

    def numbers(self, buffer: int, dtype: str) -> tuple[float, ...] | None:
        """Return a small buffer's content as numbers, None for other buffers and types."""
        import numpy as np

        data = self.buffers[buffer].data
        if data is None or len(data) > SMALL_BYTES or dtype not in NUMERIC:
            return None
        itemsize = np.dtype(dtype).itemsize
        whole = bytes(_bytes(data))[: len(data) // itemsize * itemsize]
        return tuple(np.frombuffer(whole, dtype).tolist())


def _bytes(data: Any) -> bytes | memoryview:
    """Return a buffer's content, as a view where the file gave one (a list where code made it)."""
    return bytes(data) if isinstance(data, list) else memoryview(data).cast("B")


def read_value(name: str, tensor: Any, contents: Contents, computed: bool) -> Value:
    """Return a ``TensorT`` as a value; one that is ``computed`` is no constant though empty."""
    shape = _shape(tensor)
    dtype = enum_names("TensorType").get(tensor.type, "?").lower()
    scale, zero_point, axis = _quantization(tensor)
    nbytes = contents.nbytes(tensor.buffer)
    empty = shape is not None and 0 in shape and not computed and not tensor.isVariable
    if not (nbytes or empty or tensor.externalBuffer):
        free = count_bytes(shape, dtype)
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
