"""TFLite metadata: what Android Studio and the task libraries read from a model file.

The schema (metadata_schema.fbs, identifier M001) is published with TensorFlow Lite Support,
whose Python package cannot be installed beside TensorFlow 2.19 (it wants protobuf 3), so the
few tables that are needed are written here by field number.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ghostdeploy.flatbuffer import MetadataT, ModelT, append_buffer, schema, tensor_name
from ghostdeploy.images.normalization import BYTES
from ghostdeploy.schema import Normalization

BUFFER_NAME = b"TFLITE_METADATA"
FACTS_NAME = b"GHOSTDEPLOY"
LINES_FACT = "ghostdeploy.lines"
LABEL_FILE = "labels.txt"
TENSOR_AXIS_LABELS = 2  # AssociatedFileType
IMAGE_PROPERTIES, RGB = 2, 1  # ContentProperties, ColorSpaceType
NORMALIZATION = 1  # ProcessUnitOptions
MIN_PARSER = "1.0.0"


@dataclass(frozen=True)
class Description:
    """What the metadata says: tensors by name, and ``labels``, one a class, or none.

    ``normalization`` is what the caller must do to the pixels of the one image, None where the
    inputs are something else, or nobody knows.
    """

    name: str
    version: str
    license: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    normalization: Normalization | None
    labels: tuple[str, ...] = ()


def add_metadata(model: ModelT, description: Description) -> None:
    """Put ``description`` into ``model``'s metadata buffer, replacing one that is there."""
    _put(model, BUFFER_NAME, _serialize(description))


def add_facts(model: ModelT, facts: dict[str, str]) -> None:
    """Put key/value strings into the model file, so that it says itself what it is."""
    _put(model, FACTS_NAME, json.dumps(facts, sort_keys=True).encode())


def lines_fact(lines: Mapping[str, str], model: ModelT) -> dict[str, str]:
    """Return a fact: the author's lines that the tensors of ``model`` come from, {} without any.

    ``lines`` are those of values, by name. It is JSON, the tensors' names by the line.
    """
    found: dict[str, list[str]] = {}
    for tensor in model.subgraphs[0].tensors:
        name = tensor_name(tensor)
        if name in lines:
            found.setdefault(lines[name], []).append(name)
    return {LINES_FACT: json.dumps(found, sort_keys=True)} if found else {}


def read_facts(model: ModelT) -> dict[str, str]:
    """Return what ``add_facts`` wrote, {} where it did not."""
    for entry in model.metadata or ():
        if entry.name == FACTS_NAME:
            facts = json.loads(_content(model, entry))
            return facts if isinstance(facts, dict) else {}
    return {}


def read_description(model: ModelT) -> bytes | None:
    """Return TFLite's own metadata of a model, as the flatbuffer that it is, None without."""
    for entry in model.metadata or ():
        if entry.name == BUFFER_NAME:
            return _content(model, entry)
    return None


def copy_metadata(source: ModelT, model: ModelT) -> None:
    """Take over what task libraries read, from the model that ``model`` was made of."""
    if content := read_description(source):
        _put(model, BUFFER_NAME, content)


def _content(model: ModelT, entry: MetadataT) -> bytes:
    return bytes(np.asarray(model.buffers[entry.buffer].data, np.uint8))


def _put(model: ModelT, name: bytes, content: bytes) -> None:
    entry: MetadataT = schema().MetadataT()
    entry.name, entry.buffer = name, append_buffer(model, content)
    model.metadata = [*(e for e in model.metadata or () if e.name != name), entry]


def label_files(labels: Sequence[str]) -> dict[str, bytes]:
    """Return the files that go with ``labels``: one of a line each, or none."""
    return {LABEL_FILE: ("\n".join(labels) + "\n").encode()} if labels else {}


def attach_files(data: bytes, files: dict[str, bytes]) -> bytes:
    """Put ``files`` behind a model in a zip archive, where the task libraries look."""
    if not files:
        return data
    archive = io.BytesIO()
    archive.write(data)
    with zipfile.ZipFile(archive, "a") as z:
        for name, content in files.items():
            # A fixed date: the same files must give the same bytes.
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return archive.getvalue()


def attached_files(data: bytes) -> dict[str, bytes]:
    """Return the files that ``attach_files`` or the metadata library put behind a model."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return {info.filename: z.read(info) for info in z.infolist()}


class _Writer:
    """Writes flatbuffer tables from {field number: value}."""

    def __init__(self) -> None:
        import flatbuffers

        self.builder = flatbuffers.Builder(256)

    def text(self, value: str) -> int:
        return int(self.builder.CreateString(value))

    def floats(self, values: Sequence[float]) -> int:
        return int(self.builder.CreateNumpyVector(np.array(values, np.float32)))

    def vector(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def table(self, offsets: dict[int, int], enums: dict[int, int] | None = None) -> int:
        numbers = enums or {}
        self.builder.StartObject(1 + max((*offsets, *numbers)))
        for field, offset in offsets.items():
            self.builder.PrependUOffsetTRelativeSlot(field, offset, 0)
        for field, value in numbers.items():
            self.builder.PrependInt8Slot(field, value, 0)
        return int(self.builder.EndObject())


def _serialize(d: Description) -> bytes:
    w = _Writer()
    outputs = w.vector([_output(w, name, d.labels) for name in d.outputs])
    inputs = w.vector([_input(w, name, d.normalization) for name in d.inputs])
    graph = w.table({2: inputs, 3: outputs})
    root = w.table(
        {
            0: w.text(d.name),
            2: w.text(d.version),
            3: w.vector([graph]),
            5: w.text(d.license),
            7: w.text(MIN_PARSER),
        }
    )
    w.builder.Finish(root, b"M001")
    return bytes(w.builder.Output())


def _input(w: _Writer, name: str, normalization: Normalization | None) -> int:
    """Write TensorMetadata: of an RGB image with the normalization that the caller must apply."""
    if normalization is None:
        return w.table({0: w.text(name)})
    content = w.table({1: w.table({}, {0: RGB})}, {0: IMAGE_PROPERTIES})
    # The convention of the task libraries: on pixels of 0–255.
    mean, std = ([255.0 * v for v in each] for each in (normalization.mean, normalization.std))
    if normalization == BYTES:
        mean, std = [0.0], [1.0]
    options = w.table({0: w.floats(mean), 1: w.floats(std)})
    unit = w.table({1: options}, {0: NORMALIZATION})
    return w.table({0: w.text(name), 3: content, 4: w.vector([unit])})


def _output(w: _Writer, name: str, labels: Sequence[str]) -> int:
    fields = {0: w.text(name)}
    if labels:
        file = w.table({0: w.text(LABEL_FILE)}, {2: TENSOR_AXIS_LABELS})
        fields[6] = w.vector([file])
    return w.table(fields)
