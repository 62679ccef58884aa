"""Which torch module an ONNX node came from, by what the exporters leave in the file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ghostdeploy.traces import users_line

if TYPE_CHECKING:
    from onnx import NodeProto

MODULE_KEY = "ghostdeploy.module"  # ours
SCOPES_KEY = "pkg.torch.onnx.name_scopes"  # torch's dynamo exporter's
LINE_KEY, STACK_KEY = "ghostdeploy.line", "pkg.torch.onnx.stack_trace"  # the same two's
LONGEST_LINE = 120


def find_module(proto: NodeProto) -> str:
    """Return the module's path, ``blocks.0.0.ghost1``; "" where the export left no trace."""
    for entry in proto.metadata_props:
        if entry.key == MODULE_KEY:
            return str(entry.value)
        if entry.key == SCOPES_KEY:
            return _innermost_scope(entry.value)
    return parse_path(proto.name)


def find_line(proto: NodeProto) -> str:
    """Return the author's line, ``net.py:42``; "" where the export left no trace."""
    for entry in proto.metadata_props:
        if entry.key == LINE_KEY:
            return str(entry.value)[:LONGEST_LINE]
        if entry.key == STACK_KEY:
            return users_line(str(entry.value))[:LONGEST_LINE]
    return ""


def _innermost_scope(text: str) -> str:
    """Return the last scope but one of ``['', 'blocks', 'blocks.0', 'conv2d']``."""
    try:
        scopes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ""
    if not isinstance(scopes, list):
        return ""
    modules = [scope for scope in scopes[:-1] if isinstance(scope, str) and scope]
    return modules[-1] if modules else ""


def parse_path(name: str) -> str:
    """Return the module of a name like ``/blocks/blocks.0/blocks.0.0/ghost1/Concat``.

    Torch's legacy exporter writes them. A container's child repeats the container's own name;
    other modules give theirs alone.
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
