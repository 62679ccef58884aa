"""ONNX tensors without their content: size, digest, and the numbers of small ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ghostdeploy.lint.graph import NUMERIC, Value

SMALL_BYTES = 4096  # smaller tensors keep their content: shapes, scales, paddings
RENAMED = {"float": "float32", "double": "float64"}


class MissingWeights(Exception):
    """A file with weights is not there, too short, or not beside the model."""


def type_name(number: int) -> str:
    """``float32`` and so on, as in TFLite; "" for what onnx does not know."""
    from onnx import TensorProto

    if number not in TensorProto.DataType.values():
        return ""
    name = TensorProto.DataType.Name(number).lower()
    return RENAMED.get(name, str(name))


def light(model: Any, folder: Path | None) -> Any:
    """A copy of a ModelProto in which large tensors have no content.

    They become external data with no place but with ``length`` and ``checksum``, which the
    format provides for. Raises MissingWeights.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.ir_version = model.ir_version
    copy.opset_import.extend(model.opset_import)
    copy.functions.extend(model.functions)
    if model.HasField("graph"):
        _light_graph(model.graph, copy.graph, folder)
    return copy


def _light_graph(graph: Any, copy: Any, folder: Path | None) -> None:
    copy.name = graph.name
    copy.input.extend(graph.input)
    copy.output.extend(graph.output)
    copy.value_info.extend(graph.value_info)
    copy.sparse_initializer.extend(graph.sparse_initializer)
    for initializer in graph.initializer:
        _light_tensor(initializer, copy.initializer.add(), folder)
    for node in graph.node:
        _light_node(node, copy.node.add(), folder)


def _light_node(node: Any, copy: Any, folder: Path | None) -> None:
    if not any(a.HasField("t") or a.HasField("g") for a in node.attribute):
        copy.CopyFrom(node)
        return
    for field, value in node.ListFields():
        if field.name == "attribute":
            for attribute in value:
                _light_attribute(attribute, copy.attribute.add(), folder)
        elif field.label == field.LABEL_REPEATED:
            getattr(copy, field.name).extend(value)
        else:
            setattr(copy, field.name, value)


def _light_attribute(attribute: Any, copy: Any, folder: Path | None) -> None:
    if attribute.HasField("t"):
        copy.name, copy.type = attribute.name, attribute.type
        _light_tensor(attribute.t, copy.t, folder)
    elif attribute.HasField("g"):
        copy.name, copy.type = attribute.name, attribute.type
        _light_graph(attribute.g, copy.g, folder)
    else:
        copy.CopyFrom(attribute)


def _light_tensor(tensor: Any, copy: Any, folder: Path | None) -> None:
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


def _content(tensor: Any) -> Any:
    """The bytes of a tensor that is in the model file, as little-endian raw data."""
    from onnx import numpy_helper

    if tensor.HasField("raw_data"):
        return tensor.raw_data
    return memoryview(numpy_helper.to_array(tensor).tobytes())


def _external(tensor: Any, folder: Path | None) -> Any:
    """A view of the file that holds the tensor, None where no folder is known."""
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
    view: Any = np.memmap(file, np.uint8, "r", offset, (length,))
    return memoryview(view)


def _digest(content: Any) -> str:
    return "" if content is None else hashlib.blake2b(content, digest_size=16).hexdigest()


def weight(tensor: Any, name: str) -> Value:
    """A tensor of the model, or of ``light``'s copy, as a constant value."""
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


def _numbers(content: Any, dtype: str) -> tuple[float, ...]:
    import numpy as np

    itemsize = np.dtype(dtype).itemsize
    whole = bytes(content)[: len(content) // itemsize * itemsize]
    return tuple(np.frombuffer(whole, dtype).tolist())
