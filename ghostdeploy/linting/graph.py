"""A small neutral graph: what a rule sees, whether the file was ONNX or TFLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, prod

ELEMENT_BYTES: dict[str, float] = {
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    **dict.fromkeys(("float32", "int32", "uint32"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
    **dict.fromkeys(("int4", "uint4", "float4e2m1"), 0.5),
    **dict.fromkeys(("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"), 1),
    "float8e8m0": 1,
    "complex128": 16,
    **dict.fromkeys(("int2", "uint2"), 0.25),
}
FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
# Left out: types of which numpy has none.
NUMERIC = frozenset(
    name
    for name, nbytes in ELEMENT_BYTES.items()
    if nbytes >= 1 and not name.startswith(("bfloat", "float8"))
)
QUANTIZED = frozenset({"int8", "uint8", "int16"})
MOST_ELEMENTS = 2**60


@dataclass(frozen=True)
class Value:
    """A tensor; constants hold weights.

    ``shape`` is None where the file does not say; a side of -1 is known only when the model runs.
    ``nbytes`` is None where it is not known. ``scale`` and ``zero_point`` have one entry, or one
    for each slice of ``axis``; both are () without quantization. A constant's ``storage`` says
    which bytes of the file it reads (two may share them), ``digest`` identifies the content, and
    ``numbers`` is the content of a small one.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    constant: bool
    nbytes: int | None = None
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    storage: str = ""
    digest: str = ""
    numbers: tuple[float, ...] | None = None

    @property
    def quantization(self) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Scale and zero point, which together say what the integers stand for."""
        return self.scale, self.zero_point


def count_bytes(shape: tuple[int, ...] | None, dtype: str) -> int | None:
    """Return the bytes of a tensor, a free side counted as 1; None where they are not known.

    Nor is the size of a damaged shape known, beyond what any machine addresses.
    """
    if shape is None or dtype not in ELEMENT_BYTES:
        return None
    count = prod(max(side, 1) if side != 0 else 0 for side in shape)
    if count > MOST_ELEMENTS:
        return None
    return ceil(count * ELEMENT_BYTES[dtype])  # half a byte at the end of int4 takes a whole one


@dataclass(frozen=True)
class Node:
    """An operator. ``op`` is the neutral name (``vocabulary.py``), ``native`` the file's own.

    ``module`` is the torch module it came from and ``line`` the line of its author's, net.py:42,
    "" where the export left no trace. ``kernel`` is (height, width) of a convolution or pooling
    window. ``custom`` operators are not part of the format: each runtime must bring its own.
    ``version`` is the operator's own in TFLite, the operator set's in ONNX, 0 where it is unknown.
    """

    name: str
    op: str
    native: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    module: str = ""
    kernel: tuple[int, int] | None = None
    attributes: dict[str, object] = field(default_factory=dict)
    custom: bool = False
    version: int = 0
    line: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Graph:
    """Nodes in order of execution, and the values between them, by name.

    ``subgraphs`` are the file's other graphs: bodies of IF and WHILE, further signatures,
    ONNX functions. ``stamp`` is what a file that was compiled ahead of time says of its chip.
    """

    source: str
    format: str
    nodes: tuple[Node, ...]
    values: dict[str, Value]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    subgraphs: tuple[Graph, ...] = ()
    stamp: str = ""

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
        """Return the node's inputs that depend on the graph's."""
        return tuple(name for name in node.inputs if name not in self.constants)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the value's shape, () where the file does not say."""
        value = self.values.get(name)
        return (value.shape or ()) if value else ()

    def dtype(self, name: str) -> str:
        """Return the value's type, "" where the file does not say."""
        value = self.values.get(name)
        return value.dtype if value else ""

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a small constant's content as real numbers (dequantized), () for anything else."""
        value = self.values.get(name)
        if value is None or value.numbers is None:
            return ()
        if len(value.scale) != 1:
            return value.numbers
        zero = value.zero_point[0] if value.zero_point else 0
        return tuple(value.scale[0] * (number - zero) for number in value.numbers)

    def scalar(self, name: str) -> float | None:
        """Return the one number of a constant, None for anything else."""
        numbers = self.numbers(name)
        return numbers[0] if len(numbers) == 1 else None

    def only_consumer(self, name: str) -> Node | None:
        """Return the node that alone reads the value, None where others do or it is an output."""
        consumers = self.consumers.get(name, ())
        return consumers[0] if len(consumers) == 1 and name not in self._output_set else None

    @cached_property
    def _output_set(self) -> frozenset[str]:
        return frozenset(self.outputs)

    def chain_behind(self, name: str) -> Iterator[Node]:
        """Yield the nodes from the value ``name`` back, as long as each reads one activation."""
        node = self.producers.get(name)
        seen: set[int] = set()
        while node is not None and id(node) not in seen:  # a damaged file may go in circles
            seen.add(id(node))
            yield node
            activations = self.activations(node)
            if len(activations) != 1:
                return
            node = self.producers.get(activations[0])

    def op_counts(self) -> dict[str, int]:
        """Count the nodes of each of the file's own operators, most frequent first."""
        counts: dict[str, int] = {}
        for node in (*self.nodes, *(node for graph in self.subgraphs for node in graph.nodes)):
            counts[node.native] = counts.get(node.native, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
