"""Operators by what they do: a picture's colours."""

from __future__ import annotations

from ghostdeploy.lint.graph import Node
from ghostdeploy.lint.vocabulary import LAYOUT_OPS

OTHER = "other"
# Family → its name in the legend; the colours are in picture.css.
FAMILIES: dict[str, str] = {
    "conv": "convolution",
    "depthwise": "depthwise convolution",
    "matmul": "matrix product",
    "pool": "pooling, reduction",
    "activation": "activation",
    "arithmetic": "arithmetic",
    "join": "concatenation",
    "resize": "resize",
    "pad": "padding",
    "layout": "layout",
    "quantize": "quantization",
    OTHER: "other",
}
OPS: dict[str, tuple[str, ...]] = {
    "conv": ("conv2d", "conv_3d", "transpose_conv", "convtranspose"),
    "depthwise": ("depthwise_conv2d",),
    "matmul": ("fully_connected", "matmul", "batch_matmul", "einsum"),
    "pool": (
        "average_pool",
        "max_pool",
        "globalaveragepool",
        "globalmaxpool",
        "mean",
        "sum",
        "reduce_max",
        "reduce_min",
        "reducemax",
        "reducesum",
    ),
    "activation": (
        "clip",
        "relu",
        "relu_n1_to_1",
        "elu",
        "erf",
        "gelu",
        "hard_sigmoid",
        "hard_swish",
        "hardswish",
        "leaky_relu",
        "leakyrelu",
        "prelu",
        "sigmoid",
        "softmax",
        "log_softmax",
        "tanh",
    ),
    "arithmetic": (
        "abs",
        "add",
        "batchnormalization",
        "div",
        "exp",
        "layernormalization",
        "mul",
        "neg",
        "pow",
        "rsqrt",
        "sqrt",
        "square",
        "squared_difference",
        "sub",
    ),
    "join": ("concat",),
    "resize": ("resize", "upsample"),
    "pad": ("pad", "padv2", "mirror_pad"),
    "layout": tuple(sorted(LAYOUT_OPS)),
    "quantize": ("quantize", "dequantize", "quantizelinear", "dequantizelinear", "fake_quant"),
}
_FAMILY_OF = {op: family for family, ops in OPS.items() for op in ops}


def family_of(node: Node) -> str:
    """Return the family of a node's operator."""
    return _FAMILY_OF.get(node.op, OTHER)
