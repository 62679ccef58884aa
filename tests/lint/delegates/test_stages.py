"""The partition that each node is in."""

from __future__ import annotations

from itertools import pairwise

from ghostdeploy.lint.delegates.stages import find_stages
from ghostdeploy.schema import Partitions
from tests.report.lint.graphs import network, random_graph, report_of


def test_the_ghost_path_is_in_the_partition_of_the_branch_beside_it() -> None:
    graph = network()
    found = find_stages(graph, report_of(graph).partitions)
    assert [s.partition for s in found] == [1, 0, 2, 0, 3, 0, 4]
    assert [s.ops for s in found if not s.partition] == [("RESIZE_NEAREST_NEIGHBOR",)] * 3
    names = {graph.nodes[i].name for i in found[0].nodes}
    # Later in the file than the resize, yet TFLite runs it before: it does not wait for it.
    assert "blocks.0.0.ghost1/concat" in names
    assert "blocks.0.0.ghost1/mul" not in names
    assert sorted(i for s in found for i in s.nodes) == list(range(len(graph.nodes)))


def test_no_edge_leads_to_an_earlier_stage() -> None:
    graph = random_graph(400, modules=False)
    outside = tuple((n.name, n.native) for n in graph.nodes if n.op == "resize")
    found = find_stages(graph, Partitions("LiteRT", 1, outside))
    stage_of = {i: s.order for s in found for i in s.nodes}
    index = {node.name: i for i, node in enumerate(graph.nodes)}
    for i, node in enumerate(graph.nodes):
        assert all(stage_of[index[x]] <= stage_of[i] for x in node.inputs if x in index)
    assert all(bool(a.partition) != bool(b.partition) for a, b in pairwise(found))


def test_nothing_measured_nothing_told() -> None:
    assert find_stages(network(), None) == ()
