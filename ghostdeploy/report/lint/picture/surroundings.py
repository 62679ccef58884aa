"""What a card needs to know of the rest of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghostdeploy.lint.delegates.stages import Stage
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.network_view import find_nodes_behind
from ghostdeploy.lint.rules.dfc_contract import find_branches
from ghostdeploy.report.lint.picture.sections import Section

NO_STAGE = -1


@dataclass(frozen=True)
class Surroundings:
    """The graph that a card is part of, its stages and its other cards."""

    graph: Graph
    stages: tuple[Stage, ...]
    stage_of: Mapping[int, int]
    card_of: Mapping[str, int]  # by the value that a card makes
    readers: Mapping[str, tuple[int, ...]]  # the cards that read a value
    titles: Sequence[str]
    branches: Sequence[frozenset[int]]  # the nodes of each DFC branch

    def partition(self, i: int) -> int:
        """Return the partition of node ``i``, 0 outside, NO_STAGE where nothing was measured."""
        stage = self.stage_of.get(i)
        return NO_STAGE if stage is None else self.stages[stage].partition

    def is_outside(self, i: int) -> bool:
        """Say whether node ``i`` is outside of XNNPACK, as far as that was measured."""
        return self.partition(i) == 0


def look_around(graph: Graph, parts: Sequence[Section], turns: tuple[Stage, ...]) -> Surroundings:
    """Return the surroundings that the cards ``parts`` of ``graph`` have in common."""
    card_of = {
        name: n
        for n, part in enumerate(parts)
        for i in part.nodes
        for name in graph.nodes[i].outputs
    }
    readers: dict[str, dict[int, None]] = {}
    for n, part in enumerate(parts):
        for i in part.nodes:
            for name in graph.nodes[i].inputs:
                readers.setdefault(name, {})[n] = None
    return Surroundings(
        graph=graph,
        stages=turns,
        stage_of={i: stage.order for stage in turns for i in stage.nodes},
        card_of=card_of,
        readers={name: tuple(cards) for name, cards in readers.items()},
        titles=[part.title for part in parts],
        branches=_branch_places(graph),
    )


def _branch_places(graph: Graph) -> list[frozenset[int]]:
    """Return the places of each DFC branch's nodes, those that make up its resize included."""
    place = {id(node): i for i, node in enumerate(graph.nodes)}
    behind = find_nodes_behind(graph)
    return [
        frozenset(place[id(n)] for node in b.nodes for n in behind.get(node.name, (node,)))
        for b in find_branches(graph)
    ]
