"""dfc-contract: every DFC branch is lowered to the operators that the paper draws.

What: each DFC branch is pooling → 1×1 convolution → 1×K and K×1 depthwise convolutions (either
    order) → gate → resize → multiply, or resize → gate where the variant says so; and there
    are as many branches as the spec has. They are counted by what they compute: a converter may
    name modules in its own way.
Why: it is the paper's point (§4.2) that DFC attention needs no reshape or transpose and is
    therefore fast on a phone; a converter that lowers it otherwise exports another network.
Fix: export with ghostdeploy, or name the converter's operator in an issue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.network_view import view_network
from ghostdeploy.linting.rule import Expectations
from ghostdeploy.schema import Finding
from ghostdeploy.zoo import gated_modules
from ghostdeploy.zoo.options import DfcForm

CODE = "dfc-contract"
SEVERITY = "error"
GATE_OPS = frozenset({"sigmoid", "tanh", "hard_sigmoid", "clip", "add", "mul", "relu"})
POOLS = frozenset({"average_pool", "max_pool", "resize"})


@dataclass(frozen=True)
class Branch:
    """A DFC branch: its multiplication, and its nodes from the module's input on."""

    module: str
    gate_mul: Node
    nodes: tuple[Node, ...]

    @property
    def text(self) -> str:
        """The branch's operators with their windows, from the pooling to the multiplication."""
        return " → ".join(f"{n.native}{_size(n)}" for n in (*self.nodes, self.gate_mul))


def _size(node: Node) -> str:
    return f" {node.kernel[0]}×{node.kernel[1]}" if node.kernel else ""


def find_branches(graph: Graph) -> tuple[Branch, ...]:
    """Find each product of two activations of which one looks like an attention map."""
    seen = view_network(graph)
    return tuple(b for b in (_branch(seen, n) for n in seen.nodes if n.op == "mul") if b)


def _branch(graph: Graph, mul: Node) -> Branch | None:
    """Return the branch behind ``mul``, back to where it forks from the module."""
    operands = graph.activations(mul)
    if len(operands) != 2:  # a hard sigmoid's own factor, say
        return None
    for name in operands:
        chain: list[Node] = []
        for node in graph.chain_behind(name):
            # The value that the branch and the Ghost module's own convolution both read.
            if any(len(graph.consumers.get(out, ())) > 1 for out in node.outputs):
                break
            chain.append(node)
        if _is_attention([node.op for node in chain]):
            return Branch(mul.module, mul, tuple(reversed(chain)))
    return None


def _is_attention(ops: list[str]) -> bool:
    """Say whether a chain holds more than a Ghost module's own two convolutions do."""
    depthwise = ops.count("depthwise_conv2d")
    return depthwise >= 2 or ("resize" in ops and (depthwise > 0 or "conv2d" in ops))


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each violation; without a DFC spec judge only the branches found."""
    found = find_branches(graph)
    spec = expected.spec
    options = spec.options if spec else None
    for branch in found:
        wrong = _deviation(branch, options if isinstance(options, DfcForm) else None)
        if wrong:
            name = branch.module or branch.gate_mul.name
            yield _error(name, branch.module, f"{wrong}: {branch.text}")
    if spec is None or not isinstance(options, DfcForm):
        return
    yield from _missing(found, set(gated_modules(spec)))


def _missing(found: tuple[Branch, ...], gated: set[str]) -> Iterator[Finding]:
    """Yield one finding for each module without a branch, or one for all where names are foreign.

    Then nothing tells which branch is which module's: only their number counts.
    """
    missing = gated - {branch.module for branch in found}
    foreign = [branch for branch in found if branch.module not in gated]
    if foreign and len(missing) > len(foreign):
        names = f"{len(found)} DFC branches were found where the network has {len(gated)}"
        yield _error(foreign[0].gate_mul.name, "", f"{names}; the others are something else")
    for module in sorted(missing) if not foreign else ():
        yield _error(
            module, module, "no DFC branch was found here; it was lowered to something else"
        )


def _error(node: str, module: str, message: str) -> Finding:
    fix = "see `ghostdeploy lint`, rule dfc-contract"
    return Finding(CODE, SEVERITY, node, message, fix, module=module)


def _deviation(branch: Branch, options: DfcForm | None) -> str:
    """Return what is wrong with a branch, "" where nothing is."""
    nodes = list(branch.nodes)
    if (options is None or options.ratio != 1.0) and not (nodes and _pools(nodes.pop(0))):
        return "it does not start with a pooling"
    if not nodes or nodes[0].op != "conv2d" or nodes.pop(0).kernel != (1, 1):
        return "no 1×1 convolution follows the pooling"
    kernels = [n.kernel for n in nodes[:2] if n.op == "depthwise_conv2d"]
    if len(kernels) != 2 or {min(k or (0, 0)) for k in kernels} != {1}:
        return "no 1×K and K×1 depthwise convolutions follow the 1×1"
    if kernels[0] is None or kernels[1] is None or kernels[0] != kernels[1][::-1]:
        return "the two depthwise convolutions are not 1×K and K×1"
    return _tail_deviation(nodes[2:], options)


def _pools(node: Node) -> bool:
    """Say whether ``node`` pools, as in int8 a 2×2 depthwise convolution does (pool-depthwise)."""
    return node.op in POOLS or (node.op == "depthwise_conv2d" and node.kernel == (2, 2))


def _tail_deviation(nodes: list[Node], options: DfcForm | None) -> str:
    for node in nodes:
        if node.op not in GATE_OPS | {"resize"}:
            return f"{node.native} ({node.name}) stands between the convolutions and the gate"
    resizes = [i for i, node in enumerate(nodes) if node.op == "resize"]
    gates = [i for i, node in enumerate(nodes) if node.op != "resize"]
    if len(resizes) > 1 or not (resizes or (options and options.ratio == 1.0)):
        return "the gate is not resized exactly once"
    if not gates:
        return "no gate function"
    after = bool(resizes) and resizes[0] < gates[0]
    if options and resizes and after != (options.scale_where == "after"):
        return f"the gate function does not stand {options.scale_where} the resize"
    return ""
