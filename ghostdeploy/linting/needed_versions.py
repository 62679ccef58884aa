"""The version that a TFLite operator needs for the type of its activations.

From ``GetBuiltinOperatorVersion`` in tensorflow/lite/tools/versioning/op_version.cc of
tensorflow/tensorflow, commit 02087409073e69754277a2d2cf20af23a44334de. Only what follows from the
types: options and ranks can ask for more.
"""

from __future__ import annotations

from ghostdeploy.linting.graph import Graph, Node

HYBRID = "hybrid"  # float activations on quantized weights
NEEDED: dict[str, dict[str, int]] = {
    "ABS": {"int8": 2, "uint8": 2, "int16": 3},
    "ADD": {"int8": 2},
    "ARG_MAX": {"int8": 2},
    "ARG_MIN": {"int8": 2},
    "AVERAGE_POOL_2D": {"int8": 2, "int16": 3},
    "BATCH_MATMUL": {"int8": 2, "int16": 3},
    "BATCH_TO_SPACE_ND": {"int8": 2, "int16": 4},
    "BROADCAST_TO": {"int8": 3, "int16": 3},
    "CONCATENATION": {"int8": 2, "int16": 3},
    "CONV_2D": {"int8": 3, HYBRID: 2},
    "DEPTHWISE_CONV_2D": {"int8": 3, HYBRID: 4},
    "DEPTH_TO_SPACE": {"int8": 2},
    "DEQUANTIZE": {"int8": 2, "int16": 3, "float16": 3},
    "EQUAL": {"int8": 2, "int16": 4},
    "EXP": {"int8": 2, "int16": 2},
    "FLOOR_DIV": {"int8": 3, "int16": 3, "float32": 2},
    "FLOOR_MOD": {"int8": 2, "int16": 2},
    "FULLY_CONNECTED": {"int8": 4, HYBRID: 3},
    "GATHER": {"int8": 2, "int16": 4},
    "GELU": {"int8": 2, "uint8": 2},
    "GREATER": {"int8": 2},
    "GREATER_EQUAL": {"int8": 2, "int16": 3},
    "LEAKY_RELU": {"int16": 2},
    "LESS": {"int8": 2, "int16": 3},
    "LESS_EQUAL": {"int8": 2},
    "LOG": {"int8": 2, "int16": 2},
    "LOGISTIC": {"int8": 2, "int16": 3},
    "LOG_SOFTMAX": {"int8": 2},
    "MAXIMUM": {"int8": 2, "int16": 4},
    "MAX_POOL_2D": {"int8": 2, "int16": 3},
    "MEAN": {"int8": 2, "int16": 3},
    "MINIMUM": {"int8": 2, "int16": 4},
    "MIRROR_PAD": {"int8": 2, "int16": 3},
    "MUL": {"int8": 2, "int16": 4},
    "NOT_EQUAL": {"int8": 2},
    "PACK": {"int8": 2, "int16": 3},
    "PAD": {"int8": 2, "int16": 3},
    "PADV2": {"int8": 2, "int16": 3},
    "REDUCE_MAX": {"int8": 2, "int16": 3},
    "REDUCE_MIN": {"int8": 2, "int16": 3},
    "REDUCE_PROD": {"int8": 2, "int16": 2},
    "RELU": {"int8": 2, "uint8": 2, "int16": 3},
    "RELU6": {"int8": 2, "int16": 3},
    "RESIZE_BILINEAR": {"int8": 2, "int16": 4},
    "RESIZE_NEAREST_NEIGHBOR": {"int8": 2, "int16": 4},
    "REVERSE_V2": {"int8": 3},
    "RSQRT": {"int8": 2, "int16": 3},
    "SELECT": {"int8": 2},
    "SLICE": {"int8": 2, "int16": 4},
    "SOFTMAX": {"int8": 2, "int16": 3},
    "SPACE_TO_BATCH_ND": {"int8": 2, "int16": 4},
    "SPACE_TO_DEPTH": {"int8": 2},
    "SPLIT": {"int8": 2, "int16": 4},
    "SPLIT_V": {"int8": 2},
    "SQUARED_DIFFERENCE": {"int8": 2},
    "STRIDED_SLICE": {"int8": 2},
    "SUB": {"int8": 2},
    "SUM": {"int8": 2},
    "TANH": {"int8": 2, "int16": 3},
    "TILE": {"int8": 3},
    "TOPK_V2": {"int8": 2, "int16": 3},
    "TRANSPOSE": {"int8": 2, "int16": 5},
    "TRANSPOSE_CONV": {"int8": 2, HYBRID: 2},
    "UNPACK": {"int8": 2, "uint8": 2, "int16": 4},
}
WEIGHTED = frozenset(
    {"BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
)
WEIGHT_TYPES = frozenset({"int8", "int4", "int2"})


def find_needed_version(graph: Graph, node: Node) -> int:
    """Return the least version of a TFLite node's operator that knows its types."""
    return NEEDED.get(node.native, {}).get(find_type(graph, node), 1)


def find_type(graph: Graph, node: Node) -> str:
    """Return the type of a node's first activation; HYBRID for float on quantized weights."""
    read = graph.activations(node) or node.inputs
    dtype = graph.dtype(read[0]) if read else ""
    hybrid = dtype == "float32" and _has_quantized_weights(graph, node)
    return HYBRID if hybrid else dtype


def _has_quantized_weights(graph: Graph, node: Node) -> bool:
    values = [graph.values.get(name) for name in node.inputs]
    return node.native in WEIGHTED and any(
        v and v.constant and v.dtype in WEIGHT_TYPES for v in values
    )
