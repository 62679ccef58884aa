"""Where the nodes of a card stand."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest

from ghostdeploy.lint.delegates.stages import find_stages
from ghostdeploy.lint.rules.dfc_contract import find_branches
from ghostdeploy.report.lint.picture.layout import lay_out
from ghostdeploy.report.lint.picture.sections import cut_into_sections
from tests.report.lint.graphs import network, random_graph, report_of


def test_a_dfc_branch_stands_beside_the_ghost_path() -> None:
    graph = network(1)
    index = {node.name: i for i, node in enumerate(graph.nodes)}
    block = next(s for s in cut_into_sections(graph) if s.title == "blocks.0.0")
    branch = frozenset(index[n.name] for b in find_branches(graph) for n in b.nodes)
    layout = lay_out(graph, block.nodes, {}, branch)
    columns = {graph.nodes[i].name: place[1] for i, place in layout.places.items()}
    assert len({columns[graph.nodes[i].name] for i in branch}) == 1
    path = ("ghost1.primary_conv.2/conv2d", "ghost1/concat", "ghost1/mul", "/add")
    assert {columns[f"blocks.0.0{'' if p[0] == '/' else '.'}{p}"] for p in path} == {0}
    assert columns["blocks.0.0.ghost1.cheap_operation.2/depthwise_conv2d"] != 0


@pytest.mark.parametrize("count", [1, 7, 60, 300])
def test_rows_go_down_and_no_two_nodes_share_a_place(count: int) -> None:
    graph = random_graph(count, modules=False)
    order = {i: i // 40 for i in range(count)}
    layout = lay_out(graph, range(count), order, frozenset())
    assert len(set(layout.places.values())) == count
    for edge in layout.edges:
        if edge.source >= 0:
            assert layout.places[edge.source][0] < layout.places[edge.target][0]
    rows = [[layout.places[i][0] for i in order if order[i] == s] for s in range(count // 40 + 1)]
    for above, below in pairwise(rows):
        assert not below or max(above) < min(below)


def test_a_graph_that_goes_in_circles_is_laid_out() -> None:
    graph = network(1)
    first = replace(graph.nodes[0], inputs=(graph.nodes[-1].name,))
    graph = replace(graph, nodes=(first, *graph.nodes[1:]))
    found = find_stages(graph, report_of(graph).partitions)
    assert sum(len(s.nodes) for s in found) == len(graph.nodes)
    assert len(lay_out(graph, range(len(graph.nodes)), {}, frozenset()).places) == len(graph.nodes)


def test_it_grows_with_the_graph_not_with_its_square() -> None:
    seconds = []
    for count in (1000, 8000):
        graph = random_graph(count, modules=False)
        partitions = report_of(graph).partitions
        start = time.process_time()
        find_stages(graph, partitions)
        for section in cut_into_sections(graph):
            lay_out(graph, section.nodes, {}, frozenset())
        seconds.append(time.process_time() - start)
    assert seconds[1] < 40 * seconds[0] + 0.5
