"""Networks that are not the zoo's: where one may come from, as a literal table.

A source is one file here and one row of SOURCES. Whatever it is, ``open_source`` makes a
``LoadedNetwork`` of it, and nothing after that asks where it came from. Light: torch comes in with
``open_source``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy import zoo
from ghostdeploy.sources.reference import DEFAULT_FUNCTION, NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.sources.loaded import LoadedNetwork


@dataclass(frozen=True)
class SourceKind:
    """A kind of source. ``parse`` gives the place and the function that a string names, or None.

    ``module`` is the dotted name of what opens it.
    """

    name: str
    example: str
    module: str
    parse: Callable[[str], tuple[str, str] | None]


def _parse_timm(text: str) -> tuple[str, str] | None:
    prefix, colon, name = text.partition(":")
    return (name, "") if prefix == "timm" and colon and name else None


def _parse_program(text: str) -> tuple[str, str] | None:
    return (text, "") if Path(text).suffix.lower() == ".pt2" else None


def _parse_file(text: str) -> tuple[str, str] | None:
    file, colon, function = text.rpartition(":")
    if not colon or not file.endswith(".py"):
        file, function = text, ""
    return (file, function or DEFAULT_FUNCTION) if file.endswith(".py") else None


def _parse_module(text: str) -> tuple[str, str] | None:
    module, colon, function = text.partition(":")
    names = module.split(".")
    if not colon or module in zoo.MODELS or not all(map(str.isidentifier, names)):
        return None
    if len(names) == 1 and find_spec(module) is None:
        return None
    return module, function or DEFAULT_FUNCTION


def _parse_onnx(text: str) -> tuple[str, str] | None:
    return (text, "") if Path(text).suffix.lower() == ".onnx" else None


SOURCES = (
    SourceKind("timm", "timm:NAME", "ghostdeploy.sources.timm_model", _parse_timm),
    SourceKind("file", "net.py:function", "ghostdeploy.sources.python_file", _parse_file),
    SourceKind("program", "program.pt2", "ghostdeploy.sources.program", _parse_program),
    SourceKind("onnx", "model.onnx", "ghostdeploy.sources.onnx_file", _parse_onnx),
    SourceKind("module", "package.module:function", "ghostdeploy.sources.python_module",
               _parse_module),
)  # fmt: skip


def find_source(text: str) -> NetworkReference | None:
    """Return the reference that ``text`` is, None where it is a model of the zoo or a model file.

    An ``.onnx`` file is both: commands that read files take it for one.
    """
    for kind in SOURCES:
        if found := kind.parse(text):
            return NetworkReference(kind.name, *found)
    return None


def open_source(reference: NetworkReference) -> LoadedNetwork:
    """Load a network. Raises UsageError and its kinds, MissingExtraError, ConversionError."""
    (kind,) = (kind for kind in SOURCES if kind.name == reference.kind)
    opened: LoadedNetwork = import_module(kind.module).open_network(reference)
    return opened
