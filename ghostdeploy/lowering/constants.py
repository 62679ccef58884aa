"""What a graph computes of its constants alone, computed once: a position's encoding, say.

The converter would lower it as if it were of an image, guess at its axes and may get them wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

MOST_ELEMENTS = 2**24


def fold_constants(model: onnx.ModelProto, values: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """Return the model with each such value as a constant; itself where there is none.

    ``values`` are the network's own, by name: what is not among them stays as it is.
    """
    constant = {tensor.name for tensor in model.graph.initializer}
    folded: list[str] = []
    for node in model.graph.node:
        given = [name for name in node.input if name]
        if not constant.issuperset(given) or not (given or node.op_type == "Constant"):
            continue
        constant.update(node.output)
        if given:
            folded += [name for name in node.output if _is_known(name, values)]
    ends = {output.name for output in model.graph.output}
    made = [name for name in folded if name not in ends]
    return _with_constants(model, made, values) if made else model


def _is_known(name: str, values: Mapping[str, NDArray[Any]]) -> bool:
    return name in values and values[name].size <= MOST_ELEMENTS


def _with_constants(
    model: onnx.ModelProto, names: list[str], values: Mapping[str, NDArray[Any]]
) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, gone = copy.graph, set(names)
    kept = [node for node in graph.node if gone.isdisjoint(node.output)]
    # What led to them alone is not needed any more.
    ends = {output.name for output in graph.output}
    while True:
        read = {name for node in kept for name in node.input} | ends
        needed = [node for node in kept if not read.isdisjoint(node.output)]
        if len(needed) == len(kept):
            break
        kept = needed
    read = {name for node in kept for name in node.input}
    # A name of its own: the converter may call after a constant what is computed with it.
    new = {name: f"{name}/constant" for name in names if name in read}
    for node in kept:
        node.input[:] = [new.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend(kept)
    graph.initializer.extend(
        numpy_helper.from_array(values[name], called) for name, called in new.items()
    )
    return copy
