"""The neutral names of operators, from ONNX's names and TFLite's.

An operator that is not listed keeps its own name in lower case.
"""

from __future__ import annotations

ONNX_OPS: dict[str, str] = {
    "Add": "add",
    "AveragePool": "average_pool",
    "Clip": "clip",
    "Concat": "concat",
    "DequantizeLinear": "dequantize",
    "Gemm": "fully_connected",
    "HardSigmoid": "hard_sigmoid",
    "HardSwish": "hard_swish",
    "MatMul": "matmul",
    "MaxPool": "max_pool",
    "Mul": "mul",
    "QuantizeLinear": "quantize",
    "ReduceMean": "mean",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Upsample": "resize",
}

TFLITE_OPS: dict[str, str] = {
    "ADD": "add",
    "AVERAGE_POOL_2D": "average_pool",
    "BATCH_MATMUL": "matmul",
    "CONCATENATION": "concat",
    "CONV_2D": "conv2d",
    "DEPTHWISE_CONV_2D": "depthwise_conv2d",
    "FULLY_CONNECTED": "fully_connected",
    "LOGISTIC": "sigmoid",
    "MAXIMUM": "clip",
    "MAX_POOL_2D": "max_pool",
    "MEAN": "mean",
    "MINIMUM": "clip",
    "MUL": "mul",
    "RELU": "relu",
    "RELU6": "clip",
    "RELU_0_TO_1": "clip",
    "RESIZE_BILINEAR": "resize",
    "RESIZE_NEAREST_NEIGHBOR": "resize",
}

# Operators that only move or look at data: what the paper's design avoids.
LAYOUT_OPS = frozenset(
    [
        "broadcast_args",
        "broadcast_to",
        "cast",
        "constantofshape",
        "depth_to_space",
        "depthtospace",
        "expand",
        "expand_dims",
        "flatten",
        "gather",
        "gather_nd",
        "gathernd",
        "pack",
        "range",
        "reshape",
        "scatter_nd",
        "scatternd",
        "shape",
        "slice",
        "space_to_depth",
        "spacetodepth",
        "split",
        "split_v",
        "squeeze",
        "strided_slice",
        "tile",
        "transpose",
        "unpack",
        "unsqueeze",
    ]
)
