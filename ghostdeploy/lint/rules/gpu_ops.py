"""gpu-delegate

What: TFLite operators that the GPU delegate leaves to the CPU.
Why: with the delegate each of them moves its tensors from the GPU and back, which usually costs
    more than the delegate gains.
Fix: replace the operator, or run the model on the CPU, where it may be no loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import at
from ghostdeploy.schema import Finding, ModelSpec

CODE = "gpu-delegate"
SEVERITY = "info"
# CheckGpuDelegateCompatibility in tflite/tools/versioning/gpu_compatibility.cc of
# google-ai-edge/LiteRT, commit 007226f498a6fa5204b1127a59d647857a09ceaf. By name only: the
# delegate also asks about ranks, types and options.
OPERATORS = frozenset(
    [
        "ABS",
        "ADD",
        "ADD_N",
        "ATAN2",
        "AVERAGE_POOL_2D",
        "BATCH_MATMUL",
        "BITCAST",
        "CAST",
        "CEIL",
        "CONCATENATION",
        "CONV_2D",
        "COS",
        "CUMSUM",
        "DENSIFY",
        "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE",
        "DEQUANTIZE",
        "DIV",
        "DYNAMIC_UPDATE_SLICE",
        "ELU",
        "EMBEDDING_LOOKUP",
        "EQUAL",
        "EXP",
        "FLOOR",
        "FLOOR_DIV",
        "FLOOR_MOD",
        "FULLY_CONNECTED",
        "GATHER",
        "GELU",
        "GREATER",
        "GREATER_EQUAL",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LESS",
        "LESS_EQUAL",
        "LOG",
        "LOGICAL_AND",
        "LOGICAL_NOT",
        "LOGICAL_OR",
        "LOGISTIC",
        "LSTM",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MIRROR_PAD",
        "MUL",
        "NEG",
        "NOT_EQUAL",
        "ONE_HOT",
        "PACK",
        "PAD",
        "PADV2",
        "POW",
        "PRELU",
        "QUANTIZE",
        "REDUCE_ALL",
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
        "REVERSE_V2",
        "RIGHT_SHIFT",
        "ROUND",
        "RSQRT",
        "SELECT",
        "SELECT_V2",
        "SIGN",
        "SIN",
        "SLICE",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQRT",
        "SQUARE",
        "SQUARED_DIFFERENCE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TILE",
        "TOPK_V2",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
        "CUSTOM:Convolution2DTransposeBias",
        "CUSTOM:MaxPoolingWithArgmax2D",
        "CUSTOM:MaxUnpooling2D",
        "CUSTOM:Resampler",
    ]
)


def check(graph: Graph, spec: ModelSpec | None) -> Iterator[Finding]:
    """One info an operator."""
    for node in graph.nodes if graph.format == "tflite" else ():
        if node.native not in OPERATORS:
            message = f"the GPU delegate has no {node.native}"
            yield at(CODE, SEVERITY, node, message, "replace it, or stay on the CPU")
