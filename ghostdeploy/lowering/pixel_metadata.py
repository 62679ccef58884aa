"""What a model file itself says of the pixels that it takes: our facts, or others' metadata."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError, MissingExtraError
from ghostdeploy.flatbuffer import ModelT, schema
from ghostdeploy.images.normalization import (
    NORMALIZATION_FACT,
    normalize_to,
    published_normalization,
)
from ghostdeploy.lowering.metadata import read_description, read_facts
from ghostdeploy.schema import ExportOptions, Normalization
from ghostdeploy.typed_json import decode

if TYPE_CHECKING:
    from onnx import ModelProto

# ONNX's own standard names (docs/MetadataProps.md of onnx): what black and white come to.
NOMINAL_RANGES = {
    "NominalRange_0_255": (0.0, 255.0),
    "Normalized_0_1": (0.0, 1.0),
    "Normalized_1_1": (-1.0, 1.0),
}
PIXEL_FORMATS = ("Rgb8", "Rgba8")  # the order in which the images here have their channels
UNITS = 16  # process units that are looked at; the task libraries write one or two


def read_normalization(path: Path) -> Normalization | None:
    """Return what the file ``path`` says of its pixels, None where it says nothing.

    Raises InputFileError for damaged metadata.
    """
    try:
        if path.suffix.lower() == ".onnx":
            return _of_onnx(path, _open_onnx(path))
        return _of_tflite(path, flatbuffer.load_file(path))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error) as error:
        raise InputFileError(f"{path}: its metadata on the input are damaged") from error


def _open_onnx(path: Path) -> ModelProto:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "export") from error
    return onnx.load(str(path), load_external_data=False)


def _of_onnx(path: Path, model: ModelProto) -> Normalization | None:
    facts = {entry.key: entry.value for entry in model.metadata_props}
    limits = NOMINAL_RANGES.get(facts.get("Image.NominalPixelRange", ""))
    order = facts.get("Image.BitmapPixelFormat", PIXEL_FORMATS[0])
    if limits and order not in PIXEL_FORMATS:
        raise InputFileError(f"{path} takes {order[:20]} images; only RGB is made here")
    return _of_facts(path, facts) or (normalize_to(*limits) if limits else None)


def _of_tflite(path: Path, model: ModelT) -> Normalization | None:
    found = _of_facts(path, read_facts(model)) or _of_bytes(model)
    return found or _of_description(read_description(model))


def _of_facts(path: Path, facts: Mapping[str, str]) -> Normalization | None:
    if NORMALIZATION_FACT in facts:
        return decode(path, Normalization, json.loads(facts[NORMALIZATION_FACT]))
    if "ghostdeploy.export" not in facts:
        return None
    options = json.loads(facts["ghostdeploy.export"]) | {"labels": []}
    return published_normalization(decode(path, ExportOptions, options).embed_preprocessing)


def _of_bytes(model: ModelT) -> Normalization | None:
    """Return what a uint8 input's bytes stand for: the task libraries hand it them as they are."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[int(graph.inputs[0])]
    quantization = tensor.quantization
    if tensor.type != schema().TensorType.UINT8 or quantization is None or not quantization.scale:
        return None
    scale = float(quantization.scale[0])
    zero_point = flatbuffer.indices(quantization.zeroPoint)[0]
    return normalize_to(-zero_point * scale, (255 - zero_point) * scale)


def _of_description(data: bytes | None) -> Normalization | None:
    """Return NormalizationOptions of the first input in TFLite's metadata, (x − mean)/std of bytes.

    The fields' numbers are metadata_schema.fbs's.
    """
    if not data:
        return None
    root = _Table.root(data)
    for graph in root.tables(3, 1):
        for tensor in graph.tables(2, 1):
            for unit in tensor.tables(4, UNITS):
                options = unit.table(1)
                if options and unit.byte(0) == 1:  # ProcessUnitOptions.NormalizationOptions
                    mean, std = options.floats(0), options.floats(1)
                    return Normalization(_of_pixels(mean), _of_pixels(std))
    return None


def _of_pixels(values: list[float]) -> tuple[float, float, float]:
    """Return one number a channel, on pixels of 0–1."""
    if len(values) not in (1, 3):
        raise ValueError("one number, or one a channel")
    first, second, third = (value / 255.0 for value in (values * 3)[:3])
    return first, second, third


class _Table:
    """A flatbuffer table, read by field number; what leads out of the data raises struct.error."""

    def __init__(self, data: bytes, place: int) -> None:
        from flatbuffers.table import Table

        self._data, self._table = data, Table(data, place)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, struct.unpack_from("<I", data)[0])

    def _field(self, number: int) -> Any:
        offset = self._table.Offset(4 + 2 * number)
        return offset and offset + self._table.Pos

    def byte(self, number: int) -> int:
        place = self._field(number)
        return self._data[place] if place else 0

    def table(self, number: int) -> _Table | None:
        place = self._field(number)
        return _Table(self._data, self._table.Indirect(place)) if place else None

    def _vector(self, number: int) -> tuple[int, int]:
        place = self._field(number)
        if not place:
            return 0, 0
        start = self._table.Indirect(place)
        return start + 4, struct.unpack_from("<I", self._data, start)[0]

    def tables(self, number: int, most: int) -> list[_Table]:
        start, count = self._vector(number)
        places = range(start, start + 4 * min(count, most), 4)
        return [_Table(self._data, self._table.Indirect(place)) for place in places]

    def floats(self, number: int) -> list[float]:
        start, count = self._vector(number)
        return list(struct.unpack_from(f"<{min(count, 4)}f", self._data, start))
