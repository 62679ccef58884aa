"""Checks that a file is a model at all, before any runtime, which may crash on one cut short.

TFLite reads its flatbuffer unverified: a truncated file ends in SIGSEGV as often as in an error.
So every offset that a runtime would follow is followed here first. ONNX's protobuf is checked by
its own runtime.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ghostdeploy.errors import InputFileError

FORMATS = {".tflite": "tflite", ".onnx": "onnx"}
TFLITE_IDENTIFIER = b"TFL3"


def model_format(path: Path) -> str:
    """Return ``tflite`` or ``onnx`` by the file's suffix. Raises InputFileError for any other."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = " or ".join(FORMATS)
        raise InputFileError(f"{path}: a model's file name ends in {known}") from None


def check_model_file(path: Path) -> None:
    """Raise InputFileError for a file that is missing, empty, cut short or of another kind."""
    kind = model_format(path)
    try:
        if not path.exists():
            raise InputFileError(f"{path}: there is no such file")
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise InputFileError(f"{path}: is {what}; a model file is needed")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputFileError(f"{path}: is empty")
            if kind == "tflite":
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    _check_tflite(path, data)
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error


@dataclass(frozen=True)
class _FollowedSlots:
    """The slots of a flatbuffer table that hold offsets to follow.

    They lead to vectors (by slot the bytes of an item), tables, and vectors of tables.
    """

    vectors: Mapping[int, int] = field(default_factory=dict)
    tables: Mapping[int, _FollowedSlots] = field(default_factory=dict)
    lists: Mapping[int, _FollowedSlots] = field(default_factory=dict)


# The slots of TFLite's schema.fbs (version 3) that hold offsets a runtime always follows.
_QUANTIZATION = _FollowedSlots(vectors={0: 4, 1: 4, 2: 4, 3: 8})
_TENSOR = _FollowedSlots(vectors={0: 4, 3: 1}, tables={4: _QUANTIZATION})
_OPERATOR = _FollowedSlots(vectors={1: 4, 2: 4, 5: 1})
_SUBGRAPH = _FollowedSlots(vectors={1: 4, 2: 4, 4: 1}, lists={0: _TENSOR, 3: _OPERATOR})
_OPERATOR_CODE = _FollowedSlots(vectors={1: 1})
_BUFFER = _FollowedSlots(vectors={0: 1})
_MODEL = _FollowedSlots(vectors={3: 1}, lists={1: _OPERATOR_CODE, 2: _SUBGRAPH, 4: _BUFFER})


def _check_tflite(path: Path, data: mmap.mmap) -> None:
    if data[4:8] != TFLITE_IDENTIFIER:
        raise InputFileError(f"{path}: is not a TFLite model (no {TFLITE_IDENTIFIER.decode()})")
    try:
        _check_table(data, _follow(data, 0), _MODEL)
    except (struct.error, IndexError) as error:
        raise InputFileError(f"{path}: a damaged TFLite model, or one cut short") from error


def _check_table(data: mmap.mmap, table: int, followed: _FollowedSlots) -> None:
    """Raise struct.error or IndexError for an offset that leaves the file."""
    slots = _slots(data, table)
    for slot, item_bytes in followed.vectors.items():
        if slots.get(slot):
            _vector(data, _follow(data, table + slots[slot]), item_bytes)
    for slot, inner in followed.tables.items():
        if slots.get(slot):
            _check_table(data, _follow(data, table + slots[slot]), inner)
    for slot, inner in followed.lists.items():
        if slots.get(slot):
            for place in _vector(data, _follow(data, table + slots[slot]), 4):
                _check_table(data, _follow(data, place), inner)


def _slots(data: mmap.mmap, table: int) -> dict[int, int]:
    (back,) = struct.unpack_from("<i", data, table)
    vtable = _inside(data, table - back)
    vtable_bytes, table_bytes = struct.unpack_from("<HH", data, vtable)
    _inside(data, table + table_bytes - 1)
    count = max(0, vtable_bytes - 4) // 2
    return dict(enumerate(struct.unpack_from(f"<{count}H", data, vtable + 4)))


def _follow(data: mmap.mmap, place: int) -> int:
    (offset,) = struct.unpack_from("<I", data, place)
    return _inside(data, place + int(offset))


def _vector(data: mmap.mmap, place: int, item_bytes: int) -> range:
    (count,) = struct.unpack_from("<I", data, place)
    end = place + 4 + count * item_bytes
    _inside(data, end - 1)
    return range(place + 4, end, item_bytes)


def _inside(data: mmap.mmap, place: int) -> int:
    if not 0 <= place < len(data):
        raise IndexError(place)
    return place
