"""average-pool-edges: the last window of an average pooling has one mean everywhere.

What: average pooling whose last row or column of windows is not one and the same in all runtimes.
    ONNX: AveragePool with ceil_mode and count_include_pad whose last window hangs over the
    padded edge. TFLite: an AVERAGE_POOL_2D behind a PAD by zeros of more after than before, which
    onnx2tf 2.6.9 makes of it: the zeros count. That is only told, since some networks, such as
    Keras' NASNet, are defined so.
Why: torch, ONNX's reference, OpenVINO 2026.4.1 and onnxruntime 1.32.0 divide by what lies inside
    the padding; onnxruntime 1.23.0 does so from opset 19 on and divides by the whole window before.
    On ones the corner is 1 or 0.25.
Fix: ceil_mode off (pad by hand what is missing), count_include_pad off, or sizes that the windows
    fill.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "average-pool-edges"
SEVERITY = "warning"
FIX = "leave ceil_mode or count_include_pad out, or pool a size that the windows fill"
HONEST_OPSET = 19


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each pooling."""
    for node in graph.nodes:
        if node.native == "AveragePool" and _hangs_over(graph, node):
            yield finding_at(CODE, SEVERITY, node, _message(node), FIX)
        elif node.native == "AVERAGE_POOL_2D" and _counts_zeros(graph, node):
            message = (
                "the mean counts the zeros of the PAD before it, more of them after than before"
            )
            yield finding_at(CODE, "info", node, message, FIX)


def _message(node: Node) -> str:
    said = "the last window of ceil_mode with count_include_pad"
    if 0 < node.version < HONEST_OPSET:
        return f"{said} divides by its whole size in opset {node.version} on onnxruntime 1.23"
    return f"{said} is another mean in some runtimes and converters"


def _hangs_over(graph: Graph, node: Node) -> bool:
    """Say whether some window ends behind the padding, or may: an unknown size counts as one."""
    a = node.attributes
    if a.get("ceil_mode") != 1 or a.get("count_include_pad") != 1 or not node.inputs:
        return False
    kernel = _integers(a.get("kernel_shape"))
    sides = graph.shape(node.inputs[0])[2:]
    strides = _integers(a.get("strides")) or (1,) * len(kernel)
    dilations = _integers(a.get("dilations")) or (1,) * len(kernel)
    pads = _integers(a.get("pads")) or (0,) * 2 * len(kernel)
    if not (len(kernel) == len(sides) == len(strides) == len(dilations) == len(pads) // 2):
        return True
    return any(
        side < 1
        or strides[axis] < 1
        or (side + pads[axis] + pads[axis + len(sides)] - _extent(kernel[axis], dilations[axis]))
        % strides[axis]
        for axis, side in enumerate(sides)
    )


def _extent(window: int, dilation: int) -> int:
    return (window - 1) * dilation + 1


def _integers(value: object) -> tuple[int, ...]:
    return tuple(v for v in value if isinstance(v, int)) if isinstance(value, list) else ()


def _counts_zeros(graph: Graph, node: Node) -> bool:
    """Say whether a padding by zeros before the pooling adds more after the image than before."""
    pad = graph.producers.get(node.inputs[0]) if node.inputs else None
    if pad is None or pad.native not in ("PAD", "PADV2") or len(pad.inputs) < 2:
        return False
    if len(pad.inputs) > 2 and graph.scalar(pad.inputs[2]) != 0:
        return False
    amounts = graph.numbers(pad.inputs[1])
    return len(amounts) == 8 and any(a > b for b, a in [*pairwise(amounts)][2:5:2])
