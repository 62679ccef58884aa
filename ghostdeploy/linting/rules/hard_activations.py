"""hard-activations: hard activations and clips have the form that runtimes run well.

What: hard-sigmoid, hard-swish and clipping in forms that runtimes run badly:
    1. TFLite's RELU_0_TO_1, and ONNX HardSigmoid, which onnx2tf turns into it;
    2. clipping to a RELU's range as MINIMUM and MAXIMUM;
    3. x·relu6(x + 3)/6 in three operators where one HARD_SWISH does (info, in floating point
       only: XNNPACK has no int8 HARD_SWISH).
Why: XNNPACK has no RELU_0_TO_1, so each one splits the graph; MINIMUM and MAXIMUM are two passes
    over memory where a RELU is fused into the operator before it.
Fix: relu6(x + 3)·⅙ for a hard-sigmoid; RELU6 or RELU_N1_TO_1 for a clip, RELU and MINIMUM for
    one to 0…1; HARD_SWISH.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import QUANTIZED, Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "hard-activations"
SEVERITY = "warning"
RELU6 = 3  # ActivationFunctionType
RANGES = {
    (0.0, 6.0): "RELU6 in the operator before",
    (-1.0, 1.0): "RELU_N1_TO_1 in the operator before",
    (0.0, 1.0): "RELU in the operator before, then MINIMUM",
}
SIXTH = 1.0 / 6.0
CLOSE = 0.02  # int8 constants are rounded


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each place."""
    for node in graph.nodes:
        if node.native in ("RELU_0_TO_1", "HardSigmoid"):
            yield finding_at(
                CODE, SEVERITY, node, _MESSAGES[node.native], "write it as relu6(x + 3) · 1/6"
            )
        elif node.native in ("MINIMUM", "MAXIMUM"):
            yield from _clip(graph, node)
        elif node.op == "mul" and _is_float(graph, node) and _is_hard_swish(graph, node):
            message = "a hard-swish in three operators or more"
            yield finding_at(CODE, "info", node, message, "one HARD_SWISH computes it")


def _is_float(graph: Graph, node: Node) -> bool:
    return not any(graph.dtype(name) in QUANTIZED for name in node.outputs)


_MESSAGES = {
    "RELU_0_TO_1": "RELU_0_TO_1 is not among XNNPACK's operators",
    "HardSigmoid": "HardSigmoid becomes RELU_0_TO_1 in TFLite, which XNNPACK does not have",
}


def _clip(graph: Graph, last: Node) -> Iterator[Finding]:
    """Yield a finding for MINIMUM and MAXIMUM, in either order, with the bounds of a RELU."""
    first = next((graph.producers.get(name) for name in graph.activations(last)), None)
    if first is None or {first.native, last.native} != {"MINIMUM", "MAXIMUM"}:
        return
    bounds = {node.native: _constant(graph, node) for node in (first, last)}
    low, high = bounds["MAXIMUM"], bounds["MINIMUM"]
    for (a, b), better in RANGES.items():
        if low is not None and high is not None and _near(low, a) and _near(high, b):
            message = f"clipping to {a:g}…{b:g} in two operators"
            yield finding_at(CODE, SEVERITY, last, message, better)


def _is_hard_swish(graph: Graph, node: Node) -> bool:
    """Say whether ``node`` is the last multiplication of x · relu6(x + 3) · 1/6, in any order."""
    factors, sources, rest = 1.0, [], [node]
    for _ in range(3):  # at most two multiplications and a division
        if not rest:
            break
        product = rest.pop()
        constant = _constant(graph, product)
        if constant:
            factors *= 1.0 / constant if product.native in ("Div", "DIV") else constant
        for name in graph.activations(product):
            inner = graph.producers.get(name)
            if inner is not None and inner.op in ("mul", "div") and _is_part(graph, inner):
                rest.append(inner)
            else:
                sources.append(name)
    gates = [_gated(graph, name) for name in sources]
    return (
        len(sources) == 2
        and _near(factors, SIXTH)
        and (gates[0] == sources[1] or gates[1] == sources[0])
    )


def _is_part(graph: Graph, node: Node) -> bool:
    """Say whether a multiplication may belong to the product: a sixth, or read by nothing else."""
    return bool(node.outputs) and graph.only_consumer(node.outputs[0]) is not None


def _gated(graph: Graph, name: str) -> str:
    """Return the x of a value that is relu6(x + 3), "" for any other value."""
    node = graph.producers.get(name)
    if node is None:
        return ""
    if node.op == "clip" and node.native in ("RELU6", "Clip"):
        inner = next((graph.producers.get(n) for n in graph.activations(node)), None)
        return _three_more(graph, inner)
    fused = node.attributes.get("fusedActivationFunction") == RELU6
    return _three_more(graph, node) if fused else ""


def _three_more(graph: Graph, node: Node | None) -> str:
    if node is None or node.op != "add":
        return ""
    activations, constant = graph.activations(node), _constant(graph, node)
    if len(activations) != 1 or constant is None or not _near(constant, 3.0):
        return ""
    return activations[0]


def _constant(graph: Graph, node: Node) -> float | None:
    """Return the one number that a node combines its activation with."""
    numbers = [graph.scalar(name) for name in node.inputs if name in graph.constants]
    return numbers[0] if len(numbers) == 1 else None


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(abs(b), 1.0 / 6.0)
