"""Which TFLite operators the XNNPACK delegate takes: the one static table.

Read from ``VisitNode`` in tflite/delegates/xnnpack/xnnpack_delegate.cc of google-ai-edge/LiteRT,
commit 038d2a26d7eb547631fb65ca7a7c85bb4032b2bc, and held against LiteRT 2.1.0 by a test over the
zoo. The runtime has the last word: ``partitions.measure_partitions`` asks it.
"""

from __future__ import annotations

from ghostdeploy.lint.graph import Graph, Node

RUNTIME = "LiteRT 2.1.0"

FLOAT_AND_INT8 = frozenset(
    {
        "ABS",
        "ADD",
        "CEIL",
        "CONCATENATION",
        "CONV_2D",
        "COS",
        "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE",
        "DEQUANTIZE",
        "ELU",
        "EXP",
        "EXPAND_DIMS",
        "FLOOR",
        "FULLY_CONNECTED",
        "GELU",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOGISTIC",
        "MAX_POOL_2D",
        "MEAN",
        "MUL",
        "NEG",
        "PAD",
        "QUANTIZE",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "ROUND",
        "RSQRT",
        "SIN",
        "SLICE",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SQRT",
        "SQUARE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
    }
)
FLOAT_ONLY = frozenset(
    {
        "AVERAGE_POOL_2D",
        "BATCH_MATMUL",
        "DIV",
        "MAXIMUM",
        "MINIMUM",
        "PRELU",
        "SOFTMAX",
        "SQUARED_DIFFERENCE",
    }
)
CUSTOM = frozenset(
    {
        "CUSTOM:Convolution2DTransposeBias",
        "CUSTOM:MaxPoolingWithArgmax2D",
        "CUSTOM:MaxUnpooling2D",
        "CUSTOM:odml.scaled_dot_product_attention",
    }
)
# With int8 weights on float activations (dynamic range) only these quantize on the fly.
DYNAMIC_RANGE = frozenset({"BATCH_MATMUL", "CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
WEIGHTED = DYNAMIC_RANGE | {"DEPTHWISE_CONV_2D"}


def why_not_taken(node: Node, graph: Graph) -> str:
    """Return why XNNPACK leaves ``node`` to TFLite's builtin kernels, "" if it takes it."""
    if node.native not in FLOAT_AND_INT8 | FLOAT_ONLY | CUSTOM:
        return f"XNNPACK has no {node.native}"
    types = {graph.values[name].dtype for name in graph.activations(node) if name in graph.values}
    if "int16" in types:
        return "XNNPACK has no int16 activations"
    if types & {"int8", "uint8"} and node.native in FLOAT_ONLY:
        return f"XNNPACK has {node.native} in floating point only"
    if (
        types == {"float32"}
        and node.native in WEIGHTED - DYNAMIC_RANGE
        and _int8_weights(node, graph)
    ):
        return f"XNNPACK has no {node.native} of float activations and int8 weights"
    return ""


def _int8_weights(node: Node, graph: Graph) -> bool:
    return any(
        name in graph.values and graph.values[name].constant and graph.values[name].dtype == "int8"
        for name in node.inputs[1:2]
    )
