"""The files beside an ONNX model that hold its weights: they are part of its size."""

from __future__ import annotations

from pathlib import Path


def external_bytes(path: Path) -> int:
    """Return the size of the files in ``path``'s folder that its weights are in, 0 for none.

    It is 0, too, without the onnx package and for a file that cannot be read: what is wrong with
    it, its runtime says.
    """
    try:
        from ghostdeploy.lowering.onnx_files import find_external_files

        files = set(find_external_files(path))
    except Exception:  # protobuf's own kinds among them
        return 0
    return sum(file.stat().st_size for file in files if _is_beside(file, path))


def _is_beside(file: Path, path: Path) -> bool:
    """Tell whether ``file`` is a regular one in ``path``'s folder, or in a folder of that."""
    try:
        return path.parent.resolve() in file.resolve().parents and file.is_file()
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a circle of links
        return False
