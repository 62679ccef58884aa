"""Where the nodes of one card stand: rows from top to bottom, columns from left to right.

A row is below all the rows of its inputs, and a later partition below an earlier one. A column is
a chain of nodes: a node goes on its producer's chain where it is that producer's last reader, so
that a residual or a Ghost module's own features run straight and what forks off stands beside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ghostdeploy.lint.graph import Graph

MAX_COLUMNS_TRIED = 40


@dataclass(frozen=True)
class Edge:
    """From a node, or an input of the card (negative: −1 is the first), to a node."""

    source: int
    target: int
    value: str


@dataclass(frozen=True)
class Layout:
    """Where a card's nodes stand: (row, column) by node; ``inputs`` are values of other cards."""

    places: dict[int, tuple[int, int]]
    rows: int
    columns: int
    inputs: tuple[str, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def _rows_of(self) -> dict[int, list[int]]:
        rows: dict[int, list[int]] = {}
        for row, column in sorted(self.places.values()):
            rows.setdefault(column, []).append(row)
        return rows

    def blocked(self, column: int, above: int, below: int) -> bool:
        """Say whether a node stands in ``column`` between the two rows."""
        rows = self._rows_of.get(column, [])
        at = bisect_right(rows, above)
        return at < len(rows) and rows[at] < below


@dataclass
class _Chain:
    nodes: list[int]
    aside: bool
    first: int = 0
    last: int = 0


def lay_out(
    graph: Graph, nodes: Sequence[int], order: Mapping[int, int], aside: frozenset[int]
) -> Layout:
    """Place the nodes of a card.

    ``order`` is the stage of each node, ``aside`` are the nodes of DFC branches.
    """
    ordered = sorted(nodes, key=lambda i: (order.get(i, 0), i))
    edges, inputs = _edges(graph, ordered)
    producers: dict[int, list[int]] = {i: [] for i in ordered}
    readers: dict[int, list[int]] = {i: [] for i in ordered}
    for edge in edges:
        if edge.source >= 0:
            producers[edge.target].append(edge.source)
            readers[edge.source].append(edge.target)
    rows = _rows(ordered, producers, order)
    chains = _chains(ordered, producers, readers, aside)
    for chain in chains:
        _reserve(chain, rows, producers, readers)
    columns = _columns(chains, ordered[-1] if ordered else -1)
    places = {
        i: (rows[i], column)
        for chain, column in zip(chains, columns, strict=True)
        for i in chain.nodes
    }
    height = 1 + max(rows.values(), default=-1)
    return Layout(places, height, 1 + max(columns, default=-1), inputs, edges)


def _edges(graph: Graph, ordered: Sequence[int]) -> tuple[tuple[Edge, ...], tuple[str, ...]]:
    constants = graph.constants
    inside: dict[str, int] = {}
    outer: dict[str, int] = {}
    found = []
    for i in ordered:
        for name in dict.fromkeys(graph.nodes[i].inputs):
            if name in inside:
                found.append(Edge(inside[name], i, name))
            elif name not in constants:
                found.append(Edge(outer.setdefault(name, -1 - len(outer)), i, name))
        inside.update((name, i) for name in graph.nodes[i].outputs)
    return tuple(found), tuple(outer)


def _rows(
    ordered: Sequence[int], producers: Mapping[int, list[int]], order: Mapping[int, int]
) -> dict[int, int]:
    rows: dict[int, int] = {}
    base, deepest, stage = 0, -1, None
    for i in ordered:
        if order.get(i, 0) != stage:
            stage, base = order.get(i, 0), deepest + 1
        rows[i] = max([base, *(rows[p] + 1 for p in producers[i])])
        deepest = max(deepest, rows[i])
    return rows


def _chains(
    ordered: Sequence[int],
    producers: Mapping[int, list[int]],
    readers: Mapping[int, list[int]],
    aside: frozenset[int],
) -> list[_Chain]:
    chains: list[_Chain] = []
    chain_of: dict[int, int] = {}
    for i in ordered:
        offered = [
            chain_of[p]
            for p in producers[i]
            if readers[p][-1] == i and chains[chain_of[p]].aside == (i in aside)
        ]
        if offered:
            chain_of[i] = min(offered)
            chains[min(offered)].nodes.append(i)
        else:
            chain_of[i] = len(chains)
            chains.append(_Chain([i], i in aside))
    return chains


def _reserve(
    chain: _Chain,
    rows: Mapping[int, int],
    producers: Mapping[int, list[int]],
    readers: Mapping[int, list[int]],
) -> None:
    """Set the rows that a chain needs, its way from the fork and to the join included."""
    first, last = chain.nodes[0], chain.nodes[-1]
    chain.first = min([rows[first], *(rows[p] + 1 for p in producers[first])])
    chain.last = max([rows[last], *(rows[r] - 1 for r in readers[last])])


def _columns(chains: Sequence[_Chain], last_node: int) -> list[int]:
    """Choose column 0 for the chain that the card ends with, and short ones next to it."""
    taken: list[list[_Chain]] = [[]]
    columns = [0] * len(chains)
    by_length = sorted(
        range(len(chains)),
        key=lambda n: (
            chains[n].nodes[-1] != last_node,
            chains[n].last - chains[n].first,
            not chains[n].aside,
        ),
    )
    for n in by_length:
        column = _free(taken, chains[n], len(taken) if n != by_length[0] else 0)
        if column == len(taken):
            taken.append([])
        taken[column].append(chains[n])
        columns[n] = column
    return columns


def _free(taken: Sequence[list[_Chain]], chain: _Chain, otherwise: int) -> int:
    for column in range(min(len(taken), MAX_COLUMNS_TRIED)):
        if all(t.last < chain.first or chain.last < t.first for t in taken[column]):
            return column
    return otherwise
