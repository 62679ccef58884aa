"""A small neutral graph: what a rule sees, whether the file was ONNX or TFLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Value:
    """A tensor. ``shape`` is None where the file does not say; constants hold weights."""

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    constant: bool


@dataclass(frozen=True)
class Node:
    """An operator. ``op`` is the neutral name (``ops.py``), ``native`` the file's own.

    ``module`` is the torch module it came from, "" where the export left no trace.
    ``kernel`` is (height, width) of a convolution or pooling window.
    """

    name: str
    op: str
    native: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    module: str = ""
    kernel: tuple[int, int] | None = None
    attributes: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Graph:
    """Nodes in order of execution, and the values between them, by name."""

    source: str
    format: str
    nodes: tuple[Node, ...]
    values: dict[str, Value]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @cached_property
    def producers(self) -> dict[str, Node]:
        """The node behind each value that is not an input or a constant."""
        return {name: node for node in self.nodes for name in node.outputs}

    @cached_property
    def consumers(self) -> dict[str, tuple[Node, ...]]:
        """The nodes that read each value."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def constants(self) -> frozenset[str]:
        """Weights and parameters, and what is computed from them alone (fp16 → fp32)."""
        known = {name for name, value in self.values.items() if value.constant}
        for node in self.nodes:
            if node.inputs and known.issuperset(node.inputs):
                known.update(node.outputs)
        return frozenset(known)

    def activations(self, node: Node) -> tuple[str, ...]:
        """The node's inputs that depend on the graph's."""
        return tuple(name for name in node.inputs if name not in self.constants)

    def chain_behind(self, name: str) -> Iterator[Node]:
        """From the value ``name`` back, as long as each node has one activation for input."""
        node = self.producers.get(name)
        while node is not None:
            yield node
            activations = self.activations(node)
            if len(activations) != 1:
                return
            node = self.producers.get(activations[0])

    def op_counts(self) -> dict[str, int]:
        """How many nodes of each of the file's own operators, most frequent first."""
        counts: dict[str, int] = {}
        for node in self.nodes:
            counts[node.native] = counts.get(node.native, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
