"""ONNX graphs in words that onnx2tf 2 reads rightly; the same function, and the same names.

- Average pools: it turns ``ceil_mode`` with ``count_include_pad`` into zeros that count, also where
  ONNX counts none: beyond the input and its padding there is nothing.
- Nodes: it calls tensors after the nodes that they are for; each gets the name of what it makes.
- Hard sigmoids: it folds their factor into the convolution before them and still calls that tensor
  after the convolution. Spelled out, each step has a name of its own.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper

from ghostdeploy.lowering.onnx_names import make_unique

SINCE = 19  # onnxruntime counts what lies beyond the input in models of older opsets


def mend(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model, changed in place."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    taken = {name for node in model.graph.node for name in node.output}
    taken |= {tensor.name for tensor in model.graph.initializer}
    made: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "AveragePool" and versions.get(node.domain, 0) >= SINCE:
            _drop_moot_edges(node)
        spell_out = node.op_type == "HardSigmoid"
        made += _spell_out(model.graph, node, taken) if spell_out else [node]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in made]
    for node in nodes:
        node.name = next(filter(None, node.output), node.name)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _drop_moot_edges(node: onnx.NodeProto) -> None:
    """Drop ``count_include_pad`` where there is no padding."""
    told = _attributes(node)
    automatic = told.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")
    if not automatic and not any(told.get("pads", ())):
        kept = [each for each in node.attribute if each.name != "count_include_pad"]
        del node.attribute[:]
        node.attribute.extend(kept)


def _spell_out(
    graph: onnx.GraphProto, node: onnx.NodeProto, taken: set[str]
) -> list[onnx.NodeProto]:
    """Return the hard sigmoid as a factor, an offset and a clip, with constants in the graph."""
    told, (output,) = _attributes(node), node.output
    numbers = {
        "alpha": told.get("alpha", 0.2), "beta": told.get("beta", 0.5), "low": 0.0, "high": 1.0
    }  # fmt: skip
    names = {key: make_unique(f"{output}_{key}", taken) for key in (*numbers, "scaled", "moved")}
    for key, number in numbers.items():
        value = helper.make_tensor(names[key], onnx.TensorProto.FLOAT, [], [number])
        graph.initializer.append(value)
    return [
        helper.make_node("Mul", [node.input[0], names["alpha"]], [names["scaled"]]),
        helper.make_node("Add", [names["scaled"], names["beta"]], [names["moved"]]),
        helper.make_node("Clip", [names["moved"], names["low"], names["high"]], [output]),
    ]
