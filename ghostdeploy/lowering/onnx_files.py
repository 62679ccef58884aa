"""ONNX files with all that belongs to them: weights may lie in other files beside the model."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx.external_data_helper import uses_external_data

from ghostdeploy.errors import InputFileError, error_line

MOST_BYTES = 2**31 - 1  # of a protobuf message


def read_whole_onnx(path: Path) -> bytes:
    """Return the content of an ONNX file, with the weights in it that lie in files beside it.

    Raises InputFileError where one of those is missing, too short or not beside it, and for more
    than the 2 GB that one file can hold.
    """
    data = path.read_bytes()
    try:
        model = onnx.load_from_string(data)
        if not external_files(model):
            return data
        onnx.load_external_data_for_model(model, str(path.parent))
        whole = bytes(model.SerializeToString())
    except Exception as error:  # protobuf's and onnx's own kinds
        raise InputFileError(f"{path} cannot be read whole: {error_line(error)}") from error
    if len(whole) > MOST_BYTES:
        raise InputFileError(f"{path} and its weights are more than the 2 GB of one ONNX file")
    return whole


def external_files(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the files that hold weights of ``model``, as it names them."""
    found = (
        entry.value
        for tensor in _tensors(model)
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    )
    return tuple(dict.fromkeys(found))


def find_external_files(path: Path) -> tuple[Path, ...]:
    """Return the files that hold weights of the ONNX file ``path``."""
    model = onnx.load(str(path), load_external_data=False)
    return tuple(path.parent / name for name in external_files(model))


def _tensors(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Return the tensors of a model's graph, and of those inside its operators and functions."""
    found, waiting = list(model.graph.initializer), list(model.graph.node)
    waiting += (node for function in model.functions for node in function.node)
    while waiting:
        for attribute in waiting.pop().attribute:
            found += [attribute.t, *attribute.tensors]
            for inner in (attribute.g, *attribute.graphs):
                found += inner.initializer
                waiting += inner.node
    return found
