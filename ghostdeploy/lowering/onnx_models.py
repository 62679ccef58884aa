"""Small changes to an ONNX model, and what it says of itself. No torch is needed."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

LINE = "ghostdeploy.line"


def lines_of(model: onnx.ModelProto) -> dict[str, str]:
    """Return the user's line that each value of an exported model comes from, by its name."""
    found = ((node.output, node_entry(node, LINE)) for node in model.graph.node)
    return {name: line for names, line in found if line for name in names}


def node_entry(node: onnx.NodeProto, key: str) -> str:
    """Return a node's metadata under ``key``, "" where it has none."""
    return next((entry.value for entry in node.metadata_props if entry.key == key), "")


def set_metadata(model: onnx.ModelProto, metadata: dict[str, str]) -> None:
    """Write key/value metadata and our producer name into ``model``."""
    model.producer_name = "ghostdeploy"
    model.producer_version = metadata.get("ghostdeploy.version", "")
    model.doc_string = ""
    onnx.helper.set_model_props(model, metadata)


def with_all_values(model: onnx.ModelProto, names: Sequence[str]) -> bytes:
    """Return the model with ``names`` as its outputs, to look inside it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {value.name: value for value in (*copy.graph.value_info, *copy.graph.output)}
    del copy.graph.output[:]
    for name in names:
        # An untyped output is allowed; onnxruntime infers it.
        copy.graph.output.append(known.get(name) or onnx.ValueInfoProto(name=name))
    return bytes(copy.SerializeToString())


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``model`` in half precision, weights and arithmetic; input and output stay fp32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    # Its block list would put casts around every Resize, which takes fp16 since opset 10.
    half: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True, op_block_list=[])
    return half
