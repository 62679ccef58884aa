"""Which TFLite operators the XNNPACK delegate takes, by type and by version of LiteRT.

``xnnpack.csv`` is the one static table. ``python benchmarks/xnnpack_table.py`` makes it by asking
each runtime with files of one operator; a test asks the installed one again. A file that was
measured (``partitions.measure_partitions``) needs no table: the runtime has the last word.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.needed_versions import HYBRID, find_type

TABLE_FILE = Path(__file__).parent / "xnnpack.csv"
# The types of activations that are asked for.
TYPES = ("float32", "float16", "int8", "uint8", "int16", "int32", HYBRID)
# What no file of one operator can ask: custom operators and those on variables, as in VisitNode of
# tflite/delegates/xnnpack/xnnpack_delegate.cc of google-ai-edge/LiteRT, commit
# 038d2a26d7eb547631fb65ca7a7c85bb4032b2bc.
UNASKED = frozenset(
    {
        "ASSIGN_VARIABLE",
        "CUSTOM:Convolution2DTransposeBias",
        "CUSTOM:MaxPoolingWithArgmax2D",
        "CUSTOM:MaxUnpooling2D",
        "CUSTOM:odml.scaled_dot_product_attention",
        "READ_VARIABLE",
        "VAR_HANDLE",
    }
)
# On constants these unpack weights, which XNNPACK does by itself for an operator that it takes.
UNPACKING = frozenset({"DENSIFY", "DEQUANTIZE"})
WORDS = {HYBRID: "of float activations and int8 weights"}

Rows = dict[tuple[str, str], frozenset[str]]


@cache
def read_table() -> dict[str, Rows]:
    """Return by LiteRT's version the types in which XNNPACK takes an (operator, form)."""
    tables: dict[str, Rows] = {}
    with TABLE_FILE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            taken = frozenset(name for name in TYPES if row[name] == "yes")
            tables.setdefault(row["litert"], {})[row["operator"], row["form"]] = taken
    return tables


@cache
def find_table_version() -> str:
    """Return the newest version in the table that is not newer than the installed LiteRT.

    It is the newest of all where none is installed, the oldest where a still older one is.
    """
    known = sorted(read_table(), key=_numbers)
    try:
        installed = _numbers(version("ai-edge-litert"))
    except PackageNotFoundError:
        return known[-1]
    return max((v for v in known if _numbers(v) <= installed), key=_numbers, default=known[0])


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdigit())


def why_not_taken(node: Node, graph: Graph) -> str:
    """Return why XNNPACK leaves ``node`` to TFLite's builtin kernels, "" if it takes it."""
    if node.native in UNASKED or (node.native in UNPACKING and not graph.activations(node)):
        return ""
    litert = find_table_version()
    form, dtype = find_form(graph, node), find_type(graph, node)
    taken = read_table()[litert].get((node.native, form), frozenset())
    if dtype in taken:
        return ""
    what = f"{node.native} {form}".strip()
    if taken:
        what += f" {WORDS.get(dtype, f'in {dtype}')}"
    return f"XNNPACK of LiteRT {litert} has no {what}"


def find_form(graph: Graph, node: Node) -> str:
    """Return which form of its operator a node is, "" for the plain one: the table's column."""
    if node.native == "STRIDED_SLICE":
        steps = graph.numbers(node.inputs[3]) if len(node.inputs) > 3 else ()
        return "" if set(steps) == {1} else "stepped"
    if node.native == "BATCH_MATMUL":
        return "by a constant" if len(graph.activations(node)) < 2 else ""
    if node.native == "QUANTIZE" and node.outputs:
        return "to uint8" if graph.dtype(node.outputs[0]) == "uint8" else ""
    return ""
