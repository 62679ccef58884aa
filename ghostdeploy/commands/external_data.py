"""The files beside an ONNX model that hold its weights: they are part of its size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto


def external_bytes(path: Path) -> int:
    """Return the size of the files in ``path``'s folder that its weights are in, 0 for none.

    It is 0, too, without the onnx package and for a file that cannot be read: what is wrong with
    it, its runtime says.
    """
    try:
        import onnx

        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # protobuf's own kinds among them
        return 0
    files = {path.parent / name for name in _locations(model.graph)}
    return sum(file.stat().st_size for file in files if _is_beside(file, path))


def _is_beside(file: Path, path: Path) -> bool:
    """Tell whether ``file`` is a regular one in ``path``'s folder, or in a folder of that."""
    try:
        return path.parent.resolve() in file.resolve().parents and file.is_file()
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a circle of links
        return False


def _locations(graph: GraphProto) -> Iterator[str]:
    for tensor in graph.initializer:
        yield from _location(tensor)
    for attribute in (each for node in graph.node for each in node.attribute):
        yield from _location(attribute.t)
        for inner in (attribute.g, *attribute.graphs):
            yield from _locations(inner)


def _location(tensor: TensorProto) -> Iterator[str]:
    if tensor.data_location == tensor.EXTERNAL:
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")
