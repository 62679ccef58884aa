"""Which XNNPACK partition each node is in.

The runtime tells the number of delegate kernels and the nodes outside; the members of each
partition follow from the turns that TFLite takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.lint.delegates.turns import take_turns
from ghostdeploy.lint.graph import Graph
from ghostdeploy.schema import Partitions


@dataclass(frozen=True)
class Stage:
    """One turn: ``partition`` counts from 1, 0 for nodes outside; ``ops`` are the latter's."""

    order: int
    partition: int
    nodes: tuple[int, ...]
    ops: tuple[str, ...] = ()


def find_stages(graph: Graph, partitions: Partitions | None) -> tuple[Stage, ...]:
    """Return the stages in order of execution; () where nothing was measured."""
    if partitions is None:
        return ()
    outside = {name for name, _ in partitions.outside}
    nodes = enumerate(graph.nodes)
    taken = {i for i, node in nodes if not outside & {node.name, *node.outputs[:1]}}
    made: list[Stage] = []
    for order, turn in enumerate(take_turns(graph, taken)):
        number = 1 + sum(stage.partition > 0 for stage in made) if turn.delegated else 0
        natives = dict.fromkeys(graph.nodes[i].native for i in turn.nodes)
        ops = () if turn.delegated else tuple(natives)
        made.append(Stage(order, number, tuple(sorted(turn.nodes)), ops))
    return tuple(made)
