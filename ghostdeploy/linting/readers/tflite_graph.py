"""TFLite files as neutral graphs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.flatbuffer import enum_names, indices, operator_number, tensor_name
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.readers.onnx_modules import LONGEST_LINE
from ghostdeploy.linting.readers.tflite_tensors import Contents, make_unique, read_value
from ghostdeploy.linting.vocabulary import TFLITE_OPS

SCHEMA_VERSION = 3
# Operators that keep state, call others or are not TFLite's; all else takes and gives something.
MAY_LACK_ENDS = (
    "ASSIGN_VARIABLE", "CALL", "CUSTOM", "DELEGATE", "HASHTABLE", "IF", "PLACEHOLDER",
    "READ_VARIABLE", "STABLEHLO", "VAR_HANDLE", "WHILE",
)  # fmt: skip
FACTS, LINES, MOST_FACTS = b"GHOSTDEPLOY", "ghostdeploy.lines", 4_000_000
STAMP = b"LiteRtStamp"


def read_tflite(path: Path) -> Graph:
    """Return the graphs of a TFLite file. Raises InputFileError for a damaged one."""
    return build_tflite_graph(flatbuffer.load_file(path), str(path))


def build_tflite_graph(model: Any, source: str) -> Graph:
    """Return the neutral graph of a ``ModelT``: its first graph, which holds the others.

    A tensor's name is made unique by its index. Raises InputFileError where the model needs a
    newer schema than the installed LiteRT has.
    """
    if model.version > SCHEMA_VERSION:
        raise InputFileError(
            f"{source} is of TFLite schema version {model.version}; {SCHEMA_VERSION} is known here"
        )
    contents = Contents(model)
    first, *others = model.subgraphs
    stamp = _stamp(model, contents)
    subgraphs = tuple(
        _graph(model, graph, contents, f"{source}#{number}")
        for number, graph in enumerate(others, start=1)
    )
    graph = replace(_graph(model, first, contents, source, subgraphs), stamp=stamp)
    lines = _lines(model, contents)
    nodes = (replace(n, line=lines[n.name]) if n.name in lines else n for n in graph.nodes)
    return replace(graph, nodes=tuple(nodes))


def _lines(model: Any, contents: Contents) -> dict[str, str]:
    """Return the author's line of each tensor of which our export says it, {} of other files."""
    for entry in model.metadata or ():
        if entry.name == FACTS and 0 <= entry.buffer < len(model.buffers):
            try:
                facts = json.loads(contents.head(entry.buffer, MOST_FACTS))
                found = json.loads(facts[LINES]).items()
                return {str(name): line[:LONGEST_LINE] for line, names in found for name in names}
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return {}  # damaged, or without any
    return {}


def _stamp(model: Any, contents: Contents) -> str:
    """Return the vendor and the chip of a file that LiteRT compiled ahead of time, "" of others.

    Its stamp is two texts of at most 124 bytes, each filled up to 125 with zeros
    (litert/core/build_stamp.h of google-ai-edge/LiteRT).
    """
    for entry in model.metadata or ():
        if entry.name == STAMP and 0 <= entry.buffer < len(model.buffers):
            data = contents.head(entry.buffer, 250)
            parts = (
                part.rstrip(b"\0").decode(errors="replace") for part in (data[:125], data[125:])
            )
            return " ".join(part for part in parts if part)
    return ""


def _graph(
    model: Any, graph: Any, contents: Contents, source: str, subgraphs: tuple[Graph, ...] = ()
) -> Graph:
    names = make_unique(tensor_name(tensor) for tensor in graph.tensors)
    operators = graph.operators or ()
    written = {index for op in operators for index in indices(op.outputs)}
    read = indices(graph.inputs)
    written.update(read)
    values = {
        name: read_value(name, tensor, contents, index in written)
        for index, (name, tensor) in enumerate(zip(names, graph.tensors, strict=True))
    }
    nodes = tuple(_node(model, graph, op, names, source) for op in operators)
    inputs = tuple(names[i] for i in read)
    outputs = tuple(names[i] for i in indices(graph.outputs))
    return Graph(source, "tflite", nodes, values, inputs, outputs, subgraphs)


def _native(code: Any, source: str) -> str:
    """Return the operator's name in the schema, a custom one's after ``CUSTOM:``."""
    number = operator_number(code)
    native = enum_names("BuiltinOperator").get(number)
    if native is None:
        raise InputFileError(
            f"{source} has TFLite operator {number}, which LiteRT's schema here does not know:"
            " it is damaged, or made for a newer runtime"
        )
    if native == "CUSTOM":
        return f"CUSTOM:{(code.customCode or b'').decode(errors='replace')}"
    return native


def _node(model: Any, graph: Any, op: Any, names: list[str], source: str) -> Node:
    native = _native(model.operatorCodes[op.opcodeIndex], source)
    inputs = tuple(names[i] for i in indices(op.inputs) if i >= 0)
    outputs = tuple(names[i] for i in indices(op.outputs) if i >= 0)
    if not (inputs and outputs) and not native.startswith(MAY_LACK_ENDS):
        lacks = "an output" if inputs else "an input"
        raise InputFileError(f"{source} is a damaged TFLite model: its {native} lacks {lacks}")
    name = outputs[0] if outputs else native
    return Node(
        name=name,
        op=TFLITE_OPS.get(native, native.lower()),
        native=native,
        inputs=inputs,
        outputs=outputs,
        # A fused operator is called after all its parts: "a/Relu;a/conv".
        module=name.partition(";")[0].rpartition("/")[0],
        kernel=_kernel(graph, op, native),
        attributes=_attributes(op),
        custom=native.startswith("CUSTOM:"),
        version=model.operatorCodes[op.opcodeIndex].version,
    )


def _attributes(op: Any) -> dict[str, object]:
    """Return the operator's options; those of newer operators are in a second table."""
    options = op.builtinOptions if op.builtinOptions is not None else op.builtinOptions2
    return {} if options is None else dict(vars(options))


def _kernel(graph: Any, op: Any, native: str) -> tuple[int, int] | None:
    inputs = indices(op.inputs)
    if native in ("CONV_2D", "DEPTHWISE_CONV_2D") and len(inputs) > 1:
        shape = indices(graph.tensors[inputs[1]].shape)
        return (shape[1], shape[2]) if len(shape) == 4 else None
    height, width = (
        getattr(op.builtinOptions, name, None) for name in ("filterHeight", "filterWidth")
    )
    if native in ("AVERAGE_POOL_2D", "MAX_POOL_2D") and height is not None and width is not None:
        return int(height), int(width)
    return None  # without options, or with another operator's in a damaged file
