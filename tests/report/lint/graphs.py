"""Small graphs and reports made by hand: a stem, blocks with a DFC branch, a classifier."""

from __future__ import annotations

import random

from ghostdeploy.lint.graph import Graph, Node, Value
from ghostdeploy.lint.rules.dfc_contract import find_branches
from ghostdeploy.schema import Finding, GraphReport, Partitions

SHAPE = (1, 8, 8, 16)
HOSTILE = (
    "</script><script>alert(1)</script>\"'&]]>\n\x00\x1b[31m\x85\ufffe\ud800<img src=x onerror=a>"
)
NATIVE = {
    "average_pool": "AVERAGE_POOL_2D",
    "concat": "CONCATENATION",
    "conv2d": "CONV_2D",
    "depthwise_conv2d": "DEPTHWISE_CONV_2D",
    "resize": "RESIZE_NEAREST_NEIGHBOR",
    "sigmoid": "LOGISTIC",
}


class Builder:
    """Appends nodes; a node is named by its module and operator, like ours are."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.values = {"image": Value("image", SHAPE, "float32", constant=False)}

    def add(self, op: str, module: str, *inputs: str, kernel: tuple[int, int] | None = None) -> str:
        name = f"{module}/{op}" if module else f"{op}_{len(self.nodes)}"
        assert name not in self.values
        self.values[name] = Value(name, SHAPE, "float32", constant=False)
        native = NATIVE.get(op, op.upper())
        self.nodes.append(Node(name, op, native, inputs, (name,), module, kernel))
        return name

    def weights(self, name: str) -> str:
        self.values[name] = Value(name, (4,), "float16", constant=True)
        return name

    def graph(self, output: str, format_name: str = "tflite") -> Graph:
        return Graph("model", format_name, tuple(self.nodes), self.values, ("image",), (output,))


def dfc_block(b: Builder, block: str, x: str) -> str:
    g = f"{block}.ghost1"
    gate = b.add("average_pool", f"{g}.down", x, kernel=(2, 2))
    gate = b.add("conv2d", f"{g}.short_conv.0", gate, kernel=(1, 1))
    gate = b.add("depthwise_conv2d", f"{g}.short_conv.2", gate, kernel=(1, 5))
    gate = b.add("depthwise_conv2d", f"{g}.short_conv.4", gate, kernel=(5, 1))
    gate = b.add("sigmoid", f"{g}.gate", gate)
    gate = b.add("resize", f"{g}.up", gate)
    primary = b.add("conv2d", f"{g}.primary_conv.2", x, kernel=(1, 1))
    cheap = b.add("depthwise_conv2d", f"{g}.cheap_operation.2", primary, kernel=(3, 3))
    ghost = b.add("mul", g, b.add("concat", g, primary, cheap), gate)
    out = b.add("conv2d", f"{block}.ghost2.primary_conv.0", ghost, kernel=(1, 1))
    return b.add("add", block, out, x)


def network(blocks: int = 3) -> Graph:
    b = Builder()
    x = b.add("conv2d", "conv_stem", "image", kernel=(3, 3))
    for n in range(blocks):
        x = dfc_block(b, f"blocks.{n}.0", x)
    x = b.add("mean", "", x)
    return b.graph(b.add("fully_connected", "classifier", x))


def report_of(graph: Graph, *findings: Finding, measured: bool = True) -> GraphReport:
    outside = tuple((n.name, n.native) for n in graph.nodes if n.op == "resize")
    partitions = Partitions("LiteRT 2.1.0", len(outside) + 1, outside)
    return GraphReport(
        op_counts=graph.op_counts(),
        findings=findings,
        macs=167_048_288,
        partitions=partitions if measured else None,
        dfc_branches={b.module: b.text for b in find_branches(graph)},
        weights_mb=24.3,
        activations_mb=3.21,
    )


def resize_findings(graph: Graph) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "xnnpack",
            "warning",
            node.name,
            f"{node.native} of {node.module} splits the graph",
            "use bilinear",
            module=node.module,
            source="ghostdeploy/zoo/layers.py",
        )
        for node in graph.nodes
        if node.op == "resize"
    )


def random_graph(count: int, *, modules: bool) -> Graph:
    dice = random.Random(count)
    b = Builder()
    names = ["image"]
    for n in range(count):
        reach = min(len(names), 1 + int(dice.expovariate(0.7)))
        inputs = {names[-dice.randint(1, reach)] for _ in range(dice.choice((1, 1, 2)))}
        module = f"features.{n // 40}.{n // 20 % 2}.m{n}" if modules else ""
        op = dice.choice(("conv2d", "add", "mul", "relu", "reshape", "resize"))
        names.append(b.add(op, module, *sorted(inputs)))
    return b.graph(names[-1])
