"""The neutral graph's own questions, on a graph small enough to see."""

from __future__ import annotations

from ghostdeploy.linting.graph import Graph, Node, Value, count_bytes

#   image ─┬─ conv(w16 → cast → w) ── relu ─┬─ add ── out
#          └────────────────────────────────┘
NODES = (
    Node("cast", "cast", "Cast", ("w16",), ("w",)),
    Node("conv", "conv2d", "Conv", ("image", "w"), ("a",)),
    Node("relu", "relu", "Relu", ("a",), ("b",)),
    Node("add", "add", "Add", ("b", "image"), ("out",)),
    Node("twice", "mul", "Mul", ("out", "out"), ("square",)),
)
VALUES = {
    name: Value(name, (1,), "float32", constant=name == "w16")
    for name in ("image", "w16", "w", "a", "b", "out", "square")
}
GRAPH = Graph("here", "onnx", NODES, VALUES, ("image",), ("square",))


def test_producers() -> None:
    assert {v: n.name for v, n in GRAPH.producers.items()} == {
        "w": "cast",
        "a": "conv",
        "b": "relu",
        "out": "add",
        "square": "twice",
    }


def test_consumers_are_named_once_each() -> None:
    consumers = {v: [n.name for n in nodes] for v, nodes in GRAPH.consumers.items()}
    assert consumers["image"] == ["conv", "add"]
    assert consumers["out"] == ["twice"]
    assert "square" not in consumers


def test_what_is_computed_from_constants_is_constant() -> None:
    assert GRAPH.constants == {"w16", "w"}
    assert GRAPH.activations(NODES[1]) == ("image",)
    assert GRAPH.activations(NODES[3]) == ("b", "image")


def test_a_chain_ends_where_two_activations_meet() -> None:
    assert [n.name for n in GRAPH.chain_behind("b")] == ["relu", "conv"]
    assert [n.name for n in GRAPH.chain_behind("out")] == ["add"]
    assert list(GRAPH.chain_behind("image")) == []
    assert list(GRAPH.chain_behind("no such value")) == []


def test_a_chain_in_a_circle_ends() -> None:
    circle = (Node("x", "relu", "Relu", ("b",), ("a",)), Node("y", "relu", "Relu", ("a",), ("b",)))
    graph = Graph("here", "onnx", circle, {}, (), ())
    assert [n.name for n in graph.chain_behind("a")] == ["x", "y"]


def test_op_counts_by_frequency_then_name() -> None:
    nodes = tuple(Node(str(i), "", op, (), ()) for i, op in enumerate("BCABC"))
    assert list(Graph("", "onnx", nodes, {}, (), ()).op_counts().items()) == [
        ("B", 2),
        ("C", 2),
        ("A", 1),
    ]


def test_a_node_prints_as_its_name() -> None:
    assert str(NODES[1]) == "conv"


def test_bytes_of_tensors() -> None:
    assert count_bytes((2, 3), "float32") == 24
    assert count_bytes((-1, 3), "int8") == 3
    assert count_bytes((3,), "int4") == 2
    assert count_bytes((0, 5), "float32") == 0
    assert count_bytes(None, "float32") is count_bytes((1,), "?") is None


def test_a_damaged_shape_has_no_size() -> None:
    """200 sides of 2**31 are beyond a float, too."""
    for dtype in ("float32", "int4"):
        assert count_bytes((2**31 - 1,) * 200, dtype) is None
