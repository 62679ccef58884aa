"""Which torch module an ONNX node came from, by what the exporters leave."""

from __future__ import annotations

import ast
from typing import Any

MODULE_KEY = "ghostdeploy.module"  # ours
SCOPES_KEY = "pkg.torch.onnx.name_scopes"  # torch's dynamo exporter's


def module_of(proto: Any) -> str:
    """The module's path, ``blocks.0.0.ghost1``; "" where the export left no trace."""
    for entry in proto.metadata_props:
        if entry.key == MODULE_KEY:
            return str(entry.value)
        if entry.key == SCOPES_KEY:
            return _from_scopes(entry.value)
    return from_path(proto.name)


def _from_scopes(text: str) -> str:
    """``['', 'blocks', 'blocks.0', 'conv2d']``: the last but one is the innermost module."""
    try:
        scopes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ""
    if not isinstance(scopes, list):
        return ""
    modules = [scope for scope in scopes[:-1] if isinstance(scope, str) and scope]
    return modules[-1] if modules else ""


def from_path(name: str) -> str:
    """torch's legacy exporter's ``/blocks/blocks.0/blocks.0.0/ghost1/Concat``.

    A container's child repeats the container's own name; other modules give theirs alone.
    """
    if not name.startswith("/"):
        return ""
    path: list[str] = []
    for part in name.split("/")[1:-1]:
        if path and part.startswith(f"{path[-1]}."):
            path[-1] = part
        else:
            path.append(part)
    return ".".join(path)
