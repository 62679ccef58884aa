"""ONNX tensors without their content: size, digest, and the numbers of small ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.linting.graph import ELEMENT_BYTES, NUMERIC, Value

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

    Content = bytes | memoryview

SMALL_BYTES = 4096  # smaller tensors keep their content: shapes, scales, paddings
RENAMED = {"float": "float32", "double": "float64"}


class MissingWeights(Exception):
    """A file with weights is not there, too short, or not beside the model."""


def type_name(number: int) -> str:
    """Return ``float32`` and so on, as in TFLite; "" for what onnx does not know."""
    from onnx import TensorProto

    if number not in TensorProto.DataType.values():
        return ""
    name = TensorProto.DataType.Name(number).lower()
    return RENAMED.get(name, str(name))


def strip_weights(model: ModelProto, folder: Path | None) -> ModelProto:
    """Return a copy of a model in which large tensors have no content.

    They become external data with no place but with ``length`` and ``checksum``, which the
    format provides for. ``folder`` is where external data is. Raises MissingWeights.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.ir_version = model.ir_version
    copy.opset_import.extend(model.opset_import)
    copy.functions.extend(model.functions)
    if model.HasField("graph"):
        _strip_graph(model.graph, copy.graph, folder)
    return copy


def _strip_graph(graph: GraphProto, copy: GraphProto, folder: Path | None) -> None:
    copy.name = graph.name
    copy.input.extend(graph.input)
    copy.output.extend(graph.output)
    copy.value_info.extend(graph.value_info)
    copy.sparse_initializer.extend(graph.sparse_initializer)
    for initializer in graph.initializer:
        _strip_tensor(initializer, copy.initializer.add(), folder)
    for node in graph.node:
        _strip_node(node, copy.node.add(), folder)


def _strip_node(node: NodeProto, copy: NodeProto, folder: Path | None) -> None:
    if not any(a.HasField("t") or a.HasField("g") for a in node.attribute):
        copy.CopyFrom(node)
        return
    for field, value in node.ListFields():
        if field.name == "attribute":
            for attribute in value:
                _strip_attribute(attribute, copy.attribute.add(), folder)
        elif hasattr(value, "extend"):  # a repeated field
            getattr(copy, field.name).extend(value)
        else:
            setattr(copy, field.name, value)


def _strip_attribute(attribute: AttributeProto, copy: AttributeProto, folder: Path | None) -> None:
    if attribute.HasField("t"):
        copy.name, copy.type = attribute.name, attribute.type
        _strip_tensor(attribute.t, copy.t, folder)
    elif attribute.HasField("g"):
        copy.name, copy.type = attribute.name, attribute.type
        _strip_graph(attribute.g, copy.g, folder)
    else:
        copy.CopyFrom(attribute)


def _strip_tensor(tensor: TensorProto, copy: TensorProto, folder: Path | None) -> None:
    external = tensor.data_location == tensor.EXTERNAL
    if not external and tensor.ByteSize() <= SMALL_BYTES:
        copy.CopyFrom(tensor)
        return
    copy.name, copy.data_type = tensor.name, tensor.data_type
    copy.dims.extend(tensor.dims)
    content = _external(tensor, folder) if external else _content(tensor)
    if content is not None and len(content) <= SMALL_BYTES:
        copy.raw_data = bytes(content)
        return
    copy.data_location = copy.EXTERNAL
    copy.external_data.add(key="length", value=str(len(content or b"")))
    copy.external_data.add(key="checksum", value=_digest(content))


def _content(tensor: TensorProto) -> Content:
    """Return the bytes of a tensor that is in the model file, as little-endian raw data."""
    from onnx import numpy_helper

    if tensor.HasField("raw_data"):
        return tensor.raw_data
    content = numpy_helper.to_array(tensor).tobytes()
    bits = int(8 * ELEMENT_BYTES.get(type_name(tensor.data_type), 1))
    return _pack(content, bits) if bits < 8 else memoryview(content)


def _pack(content: bytes, bits: int) -> bytes:
    """Return elements of less than a byte as raw data has them; onnx gives a byte to each."""
    import numpy as np

    each = 8 // bits
    values = np.frombuffer(content, np.uint8) & (2**bits - 1)
    whole = np.pad(values, (0, -len(values) % each)).reshape(-1, each)
    return bytes((whole << (bits * np.arange(each))).sum(1).astype(np.uint8))


def _external(tensor: TensorProto, folder: Path | None) -> Content | None:
    """Return a view of the file that holds the tensor, None where no folder is known."""
    import numpy as np

    if folder is None:
        return None
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    file = folder / location
    if not location or folder.resolve() not in file.resolve().parents:
        raise MissingWeights(f"{location!r} is not a file beside it")
    if not file.is_file():
        raise MissingWeights(f"{location} is not there")
    offset, size = int(entries.get("offset", 0)), file.stat().st_size
    length = int(entries.get("length", size - offset))
    if offset < 0 or length < 0 or offset + length > size:
        raise MissingWeights(f"{location} is too short")
    if not length:
        return b""
    return np.memmap(file, np.uint8, "r", offset, (length,)).data


def _digest(content: Content | None) -> str:
    return "" if content is None else hashlib.blake2b(content, digest_size=16).hexdigest()


def read_constant(tensor: TensorProto, name: str) -> Value:
    """Return a tensor of the model, or of ``strip_weights``' copy, as a constant value."""
    dtype = type_name(tensor.data_type)
    numbers = None
    if tensor.data_location == tensor.EXTERNAL:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        nbytes, digest = int(entries.get("length", 0)), entries.get("checksum", "")
    else:
        content = _content(tensor)
        nbytes, digest = len(content), _digest(content)
        if nbytes <= SMALL_BYTES and dtype in NUMERIC:
            numbers = _numbers(content, dtype)
    return Value(
        name,
        tuple(tensor.dims),
        dtype,
        constant=True,
        nbytes=nbytes,
        storage=name,
        digest=digest,
        numbers=numbers,
    )


def _numbers(content: Content, dtype: str) -> tuple[float, ...]:
    import numpy as np

    size = np.dtype(dtype).itemsize
    whole = bytes(content)[: len(content) // size * size]
    return tuple(np.frombuffer(whole, dtype).tolist())
