"""Partitions, cards and places: what a picture is made of."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from ghostdeploy.lint.delegates.stages import stages
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rules.dfc_contract import branches
from ghostdeploy.report.lint.picture.layout import lay_out
from ghostdeploy.report.lint.picture.sections import LARGEST, PIECE, block_of, sections
from ghostdeploy.schema import Partitions
from tests.report.lint.graphs import Builder, network, random_graph, report_of


def without_modules(graph: Graph) -> Graph:
    return replace(graph, nodes=tuple(replace(n, module="") for n in graph.nodes))


def test_the_ghost_path_is_in_the_partition_of_the_branch_beside_it() -> None:
    graph = network()
    found = stages(graph, report_of(graph).partitions)
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
    found = stages(graph, Partitions("LiteRT", 1, outside))
    stage_of = {i: s.order for s in found for i in s.nodes}
    index = {node.name: i for i, node in enumerate(graph.nodes)}
    for i, node in enumerate(graph.nodes):
        assert all(stage_of[index[x]] <= stage_of[i] for x in node.inputs if x in index)
    assert all(bool(a.partition) != bool(b.partition) for a, b in pairwise(found))


def test_nothing_measured_nothing_drawn() -> None:
    assert stages(network(), None) == ()


def test_a_block_is_a_card() -> None:
    titles = [s.title for s in sections(network())]
    assert titles == ["conv_stem", "blocks.0.0", "blocks.1.0", "blocks.2.0", "mean_37, classifier"]


@pytest.mark.parametrize(
    ("module", "block"),
    [
        ("blocks.3.0.ghost1.up", "blocks.3.0"),
        ("blocks.3.0", "blocks.3.0"),
        ("attention.4.layers.0.attn", "attention.4"),
        ("features.12.conv.0", "features.12"),
        ("conv_stem", ""),
        ("expanded_conv_3/expand", "expanded_conv_3"),
        ("block_3_expand", "block_3"),
        ("block3a_dwconv/depthwise;block3a_bn", "block3a"),
        ("", ""),
    ],
)
def test_blocks(module: str, block: str) -> None:
    assert block_of(module) == block


@pytest.mark.parametrize("modules", [True, False])
def test_every_node_is_on_one_card_of_bounded_size(modules: bool) -> None:
    graph = random_graph(500, modules=modules)
    found = sections(graph)
    assert Counter(i for s in found for i in s.nodes) == Counter(range(500))
    assert max(len(s.nodes) for s in found) <= (LARGEST if modules else PIECE[1])
    assert len({s.title for s in found}) == len(found)


def test_nodes_that_work_on_weights_alone_are_a_card_of_their_own() -> None:
    b = Builder()
    weights = [b.add("dequantize", "", b.weights(f"w{n}")) for n in range(5)]
    x = b.add("conv2d", "conv_stem", "image", weights[0])
    found = sections(b.graph(x))
    assert [(s.title, len(s.nodes), s.constant) for s in found] == [
        ("conv_stem", 1, False),
        ("constants", 5, True),
    ]


def test_a_dfc_branch_stands_beside_the_ghost_path() -> None:
    graph = network(1)
    index = {node.name: i for i, node in enumerate(graph.nodes)}
    block = next(s for s in sections(graph) if s.title == "blocks.0.0")
    branch = frozenset(index[n.name] for b in branches(graph) for n in b.nodes)
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
    found = stages(graph, report_of(graph).partitions)
    assert sum(len(s.nodes) for s in found) == len(graph.nodes)
    assert len(lay_out(graph, range(len(graph.nodes)), {}, frozenset()).places) == len(graph.nodes)


def test_it_grows_with_the_graph_not_with_its_square() -> None:
    seconds = []
    for count in (1000, 8000):
        graph = random_graph(count, modules=False)
        partitions = report_of(graph).partitions
        start = time.process_time()
        stages(graph, partitions)
        for section in sections(graph):
            lay_out(graph, section.nodes, {}, frozenset())
        seconds.append(time.process_time() - start)
    assert seconds[1] < 40 * seconds[0] + 0.5
