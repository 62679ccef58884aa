"""foldable-pad: a convolution does its own padding.

What: a PAD by zeros whose only reader is a convolution that could pad by itself. In TFLite that
    holds exactly where the convolution is VALID, only rows and columns are padded, and the
    amounts are SAME's: with out = ⌈in/stride⌉ and total = (out − 1)·stride + dilated kernel − in,
    ⌊total/2⌋ before and the rest after. ONNX convolutions take any amounts.
Why: the padded copy is one more pass over the tensor. XNNPACK merges the two by itself; builtin
    kernels and the other delegates do not.
Fix: pad in the convolution (keras: ``padding="same"``; torch: ``padding=`` of the Conv2d).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "foldable-pad"
SEVERITY = "info"
VALID = 1  # Padding
CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d"})
AXES = ("H", "W")


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one info for each PAD."""
    foldable = _tflite if graph.format == "tflite" else _onnx
    for node in graph.nodes:
        if node.op not in ("pad", "padv2") or not node.outputs:
            continue
        conv = graph.only_consumer(node.outputs[0])
        if conv is not None and conv.op in CONVOLUTIONS and foldable(graph, node, conv):
            message = f"the padding could be that of the {conv.native} behind it"
            yield finding_at(CODE, SEVERITY, node, message, "pad in the convolution")


def _tflite(graph: Graph, pad: Node, conv: Node) -> bool:
    amounts = _amounts(graph, pad)
    image = graph.shape(pad.inputs[0])
    if conv.attributes.get("padding") != VALID or len(image) != 4 or conv.kernel is None:
        return False
    if len(amounts) != 4 or any(amounts[axis] != (0, 0) for axis in (0, 3)):
        return False
    if len(pad.inputs) > 2 and graph.scalar(pad.inputs[2]) != 0.0:
        return False
    return all(
        amounts[i + 1] == same_padding(image[i + 1], conv.kernel[i], *_stride(conv, AXES[i]))
        for i in range(2)
    )


def _amounts(graph: Graph, pad: Node) -> list[tuple[int, int]]:
    """Return (before, after) of each axis, [] where they are computed."""
    numbers = graph.numbers(pad.inputs[1]) if len(pad.inputs) > 1 else ()
    return [(int(a), int(b)) for a, b in zip(numbers[::2], numbers[1::2], strict=False)]


def _stride(conv: Node, axis: str) -> tuple[int, int]:
    """Return stride and dilation along an axis."""
    values = (conv.attributes.get(f"stride{axis}"), conv.attributes.get(f"dilation{axis}Factor"))
    stride, dilation = (v if isinstance(v, int) and v > 0 else 1 for v in values)
    return stride, dilation


def same_padding(side: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return what SAME adds before and after a side."""
    out = -(-side // stride)
    total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
    return total // 2, total - total // 2


def _onnx(graph: Graph, pad: Node, conv: Node) -> bool:
    mode = pad.attributes.get("mode", b"constant")
    value = graph.scalar(pad.inputs[2]) if len(pad.inputs) > 2 else 0.0
    given = graph.numbers(pad.inputs[1]) if len(pad.inputs) > 1 else pad.attributes.get("pads", ())
    amounts = tuple(given) if isinstance(given, (tuple, list)) else ()
    half = len(amounts) // 2
    batch_and_channels = (*amounts[:2], *amounts[half : half + 2])
    return (
        mode == b"constant"
        and value == 0.0
        and half == len(graph.shape(pad.inputs[0])) > 2
        and not any(batch_and_channels)
        and all(amount >= 0 for amount in amounts)
        and conv.attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    )
