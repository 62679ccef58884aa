"""The cards that a graph is cut into."""

from __future__ import annotations

from collections import Counter

import pytest

from ghostdeploy.report.lint.picture.sections import LARGEST, PIECE, block_of, cut_into_sections
from tests.report.lint.graphs import Builder, network, random_graph


def test_a_block_is_a_card() -> None:
    titles = [s.title for s in cut_into_sections(network())]
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
    found = cut_into_sections(graph)
    assert Counter(i for s in found for i in s.nodes) == Counter(range(500))
    assert max(len(s.nodes) for s in found) <= (LARGEST if modules else PIECE[1])
    assert len({s.title for s in found}) == len(found)


def test_nodes_that_work_on_weights_alone_are_a_card_of_their_own() -> None:
    b = Builder()
    weights = [b.add("dequantize", "", b.weights(f"w{n}")) for n in range(5)]
    x = b.add("conv2d", "conv_stem", "image", weights[0])
    found = cut_into_sections(b.graph(x))
    assert [(s.title, len(s.nodes), s.constant) for s in found] == [
        ("conv_stem", 1, False),
        ("constants", 5, True),
    ]
