"""batch-norm: batch normalization is folded into the convolution before it.

What: batch normalization left behind a convolution: ONNX BatchNormalization, or in TFLite a MUL
    by one constant a channel (and the ADD behind it). Info where no convolution stands before
    it, or others read that convolution too: there it cannot be folded.
Why: it is a pass over the whole tensor for what the convolution's weights can hold for nothing.
Fix: fold it before converting (torch: ``fuse_conv_bn_eval``; export in eval mode).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "batch-norm"
SEVERITY = "warning"
CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d", "fully_connected", "convtranspose"})


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each normalization."""
    for node in graph.nodes:
        if node.native == "BatchNormalization":
            yield _finding(node, "BatchNormalization", _foldable(graph, node))
        elif node.native == "MUL" and _is_scale(graph, node) and _foldable(graph, node):
            yield _finding(node, "a scale for each channel", True)


def _finding(node: Node, what: str, foldable: bool) -> Finding:
    if foldable:
        message, fix = f"{what} behind a convolution", "fold it into the convolution's weights"
        return finding_at(CODE, SEVERITY, node, message, fix)
    message = f"{what} without a convolution to fold it into"
    return finding_at(CODE, "info", node, message, "put it behind the convolution in the network")


def _foldable(graph: Graph, node: Node) -> bool:
    name = next(iter(graph.activations(node)), "")
    before = graph.producers.get(name)
    return (
        before is not None
        and before.op in CONVOLUTIONS
        and graph.only_consumer(name) is node
        and not before.attributes.get("fusedActivationFunction")
    )


def _is_scale(graph: Graph, node: Node) -> bool:
    """Say whether ``node`` multiplies several channels by a constant with a number for each."""
    constants = [name for name in node.inputs if name in graph.constants]
    channels = graph.shape(node.outputs[0])[-1:] if node.outputs else ()
    if len(constants) != 1 or not channels or channels[0] <= 1:
        return False
    shape = graph.shape(constants[0])
    return shape[-1:] == channels and all(side == 1 for side in shape[:-1])
