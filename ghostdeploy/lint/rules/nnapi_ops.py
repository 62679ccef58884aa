"""nnapi

What: TFLite operators that the NNAPI delegate leaves to the CPU.
Why: with the delegate each of them ends an accelerator's part of the graph. (Android 15 deprecates
    NNAPI; phones before it have it.)
Fix: replace the operator, or do not use the delegate.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import at
from ghostdeploy.schema import Finding, ModelSpec

CODE = "nnapi"
SEVERITY = "info"
# NNAPIDelegateKernel::Validate in tensorflow/lite/delegates/nnapi/nnapi_delegate.cc of
# tensorflow/tensorflow, commit 002e5f47fa2ea99aa910ba83e66240c0cda8ff8a, for Android 11 (NNAPI 1.3)
# and later. By name only: the delegate also asks about ranks, types and versions.
OPERATORS = frozenset(
    [
        "ABS",
        "ADD",
        "ARG_MAX",
        "ARG_MIN",
        "AVERAGE_POOL_2D",
        "BATCH_TO_SPACE_ND",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "CAST",
        "CONCATENATION",
        "CONV_2D",
        "DENSIFY",
        "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE",
        "DEQUANTIZE",
        "DIV",
        "ELU",
        "EMBEDDING_LOOKUP",
        "EQUAL",
        "EXP",
        "EXPAND_DIMS",
        "FILL",
        "FLOOR",
        "FULLY_CONNECTED",
        "GATHER",
        "GREATER",
        "GREATER_EQUAL",
        "HARD_SWISH",
        "HASHTABLE_LOOKUP",
        "L2_NORMALIZATION",
        "L2_POOL_2D",
        "LEAKY_RELU",
        "LESS",
        "LESS_EQUAL",
        "LOCAL_RESPONSE_NORMALIZATION",
        "LOG",
        "LOGICAL_AND",
        "LOGICAL_NOT",
        "LOGICAL_OR",
        "LOGISTIC",
        "LOG_SOFTMAX",
        "LSH_PROJECTION",
        "LSTM",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MUL",
        "NEG",
        "NOT_EQUAL",
        "PACK",
        "PAD",
        "PADV2",
        "POW",
        "PRELU",
        "QUANTIZE",
        "REDUCE_ANY",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "REDUCE_PROD",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "RNN",
        "RSQRT",
        "SELECT",
        "SIN",
        "SLICE",
        "SOFTMAX",
        "SPACE_TO_BATCH_ND",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SQRT",
        "SQUEEZE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "SVDF",
        "TANH",
        "TILE",
        "TOPK_V2",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
    ]
)


def check(graph: Graph, spec: ModelSpec | None) -> Iterator[Finding]:
    """One info an operator."""
    for node in graph.nodes if graph.format == "tflite" else ():
        if node.native not in OPERATORS:
            yield at(CODE, SEVERITY, node, f"NNAPI has no {node.native}", "replace it")
