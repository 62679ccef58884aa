"""The rewritten forms are seen as the operators that they stand for."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.export.apart import keep_apart
from ghostdeploy.export.rewrites import REWRITES
from ghostdeploy.lint.network_view import find_nodes_behind, view_network
from ghostdeploy.lint.readers.tflite_graph import build_tflite_graph
from tests.export.rewrites import test_gate_broadcast as gate
from tests.export.rewrites import test_narrow_taps as taps
from tests.export.rewrites import test_wide_tiles as tiles
from tests.export.rewrites.tiny import rewritten
from tests.export.test_apart import attended

MODELS = {
    "gate-broadcast": gate.model((3, 4), (6, 8)),
    "wide-tiles": tiles.model(12, relu=True),
    "narrow-taps": taps.model((5, 1)),
}


def seen(data: bytes) -> list[tuple[object, ...]]:
    """Operators, their kernels, and the names of what they read and write."""
    graph = view_network(build_tflite_graph(flatbuffer.load(data, "tiny"), "tiny"))
    return [(n.op, n.kernel, n.outputs, graph.activations(n)) for n in graph.nodes]


@pytest.mark.parametrize("name", MODELS)
def test_a_rewritten_graph_looks_like_the_one_before(name):
    data, count = rewritten(MODELS[name], import_module(REWRITES[name]))
    assert count == 1
    before, after = seen(MODELS[name]), seen(data)
    assert [(op, kernel) for op, kernel, _, _ in after] == [(op, k) for op, k, _, _ in before]
    assert after[0][3] == before[0][3]  # the input
    assert after[-1][2] == before[-1][2]  # the output
    for (_, _, written, _), (_, _, _, read) in pairwise(after):
        assert set(written) & set(read)


def test_products_with_a_split_gate_are_one():
    before, after = seen(attended()), seen(keep_apart(attended()))
    assert [op for op, *_ in after].count("mul") == [op for op, *_ in before].count("mul") == 2
    assert "split" not in {op for op, *_ in after}
    gates, products = ([row for row in after if row[0] == op] for op in ("sigmoid", "mul"))
    assert set(gates[0][2]) < set(products[0][3])
    assert len(products[0][3]) == 2


def test_a_graph_that_was_not_rewritten_stays():
    for model in MODELS.values():
        graph = build_tflite_graph(flatbuffer.load(model, "tiny"), "tiny")
        assert view_network(graph).nodes == graph.nodes


@pytest.mark.parametrize("name", MODELS)
def test_every_node_is_behind_one_of_the_view(name):
    data, _ = rewritten(MODELS[name], import_module(REWRITES[name]))
    graph = build_tflite_graph(flatbuffer.load(data, "tiny"), "tiny")
    behind = find_nodes_behind(graph)
    found = [n for node in view_network(graph).nodes for n in behind.get(node.name, (node,))]
    assert sorted(map(id, found)) == sorted(map(id, graph.nodes))
