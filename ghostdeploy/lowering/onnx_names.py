"""Names of an ONNX graph that a converter passes on as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import onnx

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
AWKWARD = re.compile(r"[^A-Za-z0-9_.\-/]+")


def input_names(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of what a caller gives: old files list their weights among the inputs."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return tuple(value.name for value in model.graph.input if value.name not in constants)


def with_input_names(model: onnx.ModelProto, inputs: Sequence[str]) -> onnx.ModelProto:
    """Return the model with its ``inputs`` called as a converter takes it.

    Names with odd signs become ``input_0`` and so on.
    """
    new = {
        name: name if PLAIN.fullmatch(name) else f"input_{number}"
        for number, name in enumerate(inputs)
    }
    if all(name == plain for name, plain in new.items()):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in copy.graph.input:
        value.name = new.get(value.name, value.name)
    _rename(copy.graph, new)
    return copy


def plain_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose inner values have names that TFLite tensors can be told apart by.

    A converter joins names with ``;`` and cuts them at ``:``; a first ``/`` it takes for its own.
    Inputs and outputs keep theirs.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    ends = {value.name for value in (*graph.input, *graph.output)}
    taken, new = set(ends), {}
    made = [name for node in graph.node for name in node.output if name]
    for name in (*(tensor.name for tensor in graph.initializer), *made):
        if name not in ends:
            new[name] = make_unique(AWKWARD.sub("_", name).strip("/") or "value", taken)
    _rename(graph, new)
    return copy


def _rename(graph: onnx.GraphProto, new: dict[str, str]) -> None:
    """Rename values in a graph, and where its operators' own graphs read them."""
    for tensor in graph.initializer:
        tensor.name = new.get(tensor.name, tensor.name)
    for info in graph.value_info:
        info.name = new.get(info.name, info.name)
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                own = {name for each in inner.node for name in each.output}
                _rename(inner, {old: name for old, name in new.items() if old not in own})


def make_unique(candidate: str, taken: set[str]) -> str:
    """Return ``candidate``, or with a number behind it what is not ``taken`` yet, and take it."""
    name, number = candidate, 1
    while name in taken:
        number += 1
        name = f"{candidate}_{number}"
    taken.add(name)
    return name
