"""Last touches to a TFLite file: names that lead back to torch, a signature, nothing unused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.flatbuffer import (
    ModelT,
    OperatorT,
    SignatureDefT,
    SubGraphT,
    TensorMapT,
    TensorT,
    indices,
    schema,
    tensor_name,
)

SIGNATURE = "serving_default"


def name_tensors(model: ModelT, values: Sequence[str], outputs: Sequence[str]) -> None:
    """Call every activation after the last ONNX value that it holds.

    The converter writes all names fused into an operator, ``model/A/Relu;model/B/conv/Add``
    and so on. ``values`` are the ONNX values in graph order, ``outputs`` the graph's.
    """
    order = {name: position for position, name in enumerate(values)}
    graph = model.subgraphs[0]
    taken: set[str] = set()
    # Several operators may make up one value (PAD before a convolution, MAXIMUM before MINIMUM):
    # the last of them holds it, so names are given from the end.
    for op in reversed(graph.operators):
        for index in op.outputs:
            tensor = graph.tensors[index]
            known = [v for v in map(_onnx_value(order), _parts(tensor)) if v]
            name = max(known, key=order.__getitem__) if known else _parts(tensor)[0]
            while name in taken:
                name += "'"
            taken.add(name)
            tensor.name = name.encode()
    for name, index in zip(outputs, graph.outputs, strict=True):
        graph.tensors[index].name = name.encode()


def _parts(tensor: TensorT) -> list[str]:
    parts = tensor_name(tensor).split(";")
    return [part.partition("/")[2] or part for part in parts]


def _onnx_value(order: dict[str, int]) -> Callable[[str], str]:
    def find(part: str) -> str:
        while part and part not in order:
            part = part.rpartition("/")[0]
        return part

    return find


def set_signature(model: ModelT, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Name the input tensors and write the one signature.

    ``inputs`` and ``outputs`` are names in the order of the graph's.
    """
    graph = model.subgraphs[0]
    for name, index in zip(inputs, graph.inputs, strict=True):
        graph.tensors[index].name = name.encode()
    graph.name = b"main"
    signature: SignatureDefT = schema().SignatureDefT()
    signature.signatureKey = SIGNATURE.encode()
    signature.subgraphIndex = 0
    signature.inputs, signature.outputs = (
        [_entry(name, int(index)) for name, index in zip(names, ends, strict=True)]
        for names, ends in ((inputs, graph.inputs), (outputs, graph.outputs))
    )
    model.signatureDefs = [signature]


def _entry(name: str, index: int) -> TensorMapT:
    entry: TensorMapT = schema().TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), index
    return entry


def drop_unused(model: ModelT) -> None:
    """Remove tensors and operator codes no operator uses, buffers no tensor or metadata uses."""
    for number, graph in enumerate(model.subgraphs):
        entries = [s for s in model.signatureDefs or () if s.subgraphIndex == number]
        _drop_tensors(graph, [e for s in entries for e in (*s.inputs, *s.outputs)])
    _drop_codes(model)
    used = {0} | {t.buffer for g in model.subgraphs for t in g.tensors}
    used |= {entry.buffer for entry in model.metadata or ()} | {*indices(model.metadataBuffer)}
    new = {old: position for position, old in enumerate(sorted(used))}
    model.buffers = [model.buffers[old] for old in sorted(used)]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = new[tensor.buffer]
    for entry in model.metadata or ():
        entry.buffer = new[entry.buffer]
    if model.metadataBuffer is not None:
        model.metadataBuffer = np.array([new[i] for i in indices(model.metadataBuffer)], np.int32)


def _drop_codes(model: ModelT) -> None:
    """Drop codes of operators that a rewrite replaced: a reader may refuse one it does not know."""
    operators = [op for graph in model.subgraphs for op in graph.operators]
    used = sorted({op.opcodeIndex for op in operators})
    new = {old: position for position, old in enumerate(used)}
    model.operatorCodes = [model.operatorCodes[old] for old in used]
    for op in operators:
        op.opcodeIndex = new[op.opcodeIndex]


def _drop_tensors(graph: SubGraphT, entries: Sequence[TensorMapT]) -> None:
    """Drop tensors that nothing names: no operator, no end of the graph, no signature's entry."""
    used = {i for op in graph.operators for i in _tensors_of(op) if i >= 0}
    used |= {*indices(graph.inputs), *indices(graph.outputs), *(e.tensorIndex for e in entries)}
    new = {old: position for position, old in enumerate(sorted(used))} | {-1: -1}
    graph.tensors = [graph.tensors[old] for old in sorted(used)]

    def moved(tensors: Iterable[int] | None) -> NDArray[np.int32]:
        return np.array([new[i] for i in indices(tensors)], np.int32)

    for op in graph.operators:
        op.inputs, op.outputs = moved(op.inputs), moved(op.outputs)
        if op.intermediates is not None:
            op.intermediates = moved(op.intermediates)
    graph.inputs, graph.outputs = moved(graph.inputs), moved(graph.outputs)
    for entry in entries:
        entry.tensorIndex = new[entry.tensorIndex]


def _tensors_of(op: OperatorT) -> list[int]:
    return [*indices(op.inputs), *indices(op.outputs), *indices(op.intermediates)]
