"""Partitions counted as the runtime makes them, and the nodes that split a graph."""

from __future__ import annotations

import pytest

from ghostdeploy.lint.delegates.turns import count_partitions, find_splitting
from tests.lint.rules.hand_made import Tflite, chain


def test_parallel_branches_share_a_partition() -> None:
    """Two nodes outside, side by side: a kernel before them and one behind."""
    t = Tflite()
    start = t.op("LOGISTIC", [t.input])
    sides = [t.op("RELU_0_TO_1", [start]), t.op("RELU_0_TO_1", [start])]
    graph = t.graph(t.op("ADD", sides))
    taken = {p for p, node in enumerate(graph.nodes) if node.native != "RELU_0_TO_1"}
    assert count_partitions(graph, taken) == 2
    assert len(find_splitting(graph, taken)) == 2


def test_a_node_beside_the_kernels_splits_nothing() -> None:
    t = Tflite()
    left = t.op("TANH", [t.op("LOGISTIC", [t.input])])
    right = t.op("RELU_0_TO_1", [t.input])
    graph = t.graph(t.op("ADD", [left, right]))
    taken = {p for p, node in enumerate(graph.nodes) if node.native != "RELU_0_TO_1"}
    assert find_splitting(graph, taken) == frozenset()
    # The runtime starts with the first node's kind, so the kernels are two all the same.
    assert count_partitions(graph, taken) == 2


@pytest.mark.parametrize("taken", [set(), {0, 1, 2}])
def test_all_or_nothing(taken: set[int]) -> None:
    graph = chain("LOGISTIC", "TANH", "LOGISTIC")
    assert count_partitions(graph, taken) == bool(taken)
