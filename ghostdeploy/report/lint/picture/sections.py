"""A graph cut into the cards of its picture: a network's blocks, else pieces at narrow places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph, Node

LARGEST = 96  # nodes of one card
PIECE = (16, 56)  # the smallest and largest piece of what is cut without modules
MAX_NAME = 300  # characters that are looked at
SMALL = 3  # neighbours of fewer nodes share a card
CONSTANTS = "constants"
_BLOCK = re.compile(r"^([^./]*?(?:\.\d+){1,2})(?=\.|/|$)")  # blocks.3.0, attention.4
_NUMBERED = re.compile(r"^([A-Za-z][A-Za-z_]*?_?\d+[a-z]?)(?=_|$)")  # block_3, block3a


@dataclass(frozen=True)
class Section:
    """A card. ``nodes`` are indices in order of execution."""

    title: str
    nodes: tuple[int, ...]
    constant: bool = False  # it works on weights alone


def cut_into_sections(graph: Graph) -> tuple[Section, ...]:
    """Return the cards in order, what works on weights alone as the last."""
    constants = graph.constants
    fixed = [bool(n.outputs) and constants.issuperset(n.outputs) for n in graph.nodes]
    live = [i for i, is_fixed in enumerate(fixed) if not is_fixed]
    named = sum(bool(graph.nodes[i].module) for i in live)
    by_module = 2 * named >= len(live)
    made = _by_module(graph, live) if by_module else _pieces(graph, live, *PIECE)
    frozen = tuple(i for i, is_fixed in enumerate(fixed) if is_fixed)
    extra = [Section(CONSTANTS, frozen, constant=True)] if frozen else []
    return (*made, *extra)


def _by_module(graph: Graph, live: Sequence[int]) -> list[Section]:
    """Return the blocks, where one begins first; what is of no block stays where it is."""
    strip = _common_root([graph.nodes[i].module for i in live if graph.nodes[i].module])
    cards: dict[str, list[int]] = {}
    run, before = 0, "?"
    for i in live:
        key = block_of(graph.nodes[i].module[strip:])
        run += key != before
        before = key
        cards.setdefault(key or f"\0{run}", []).append(i)
    found: list[Section] = []
    for members in _merged(list(cards.values())):
        title = _title(graph, members, strip)
        if len(members) <= LARGEST:
            found.append(Section(title, tuple(members)))
            continue
        parts = _pieces(graph, members, LARGEST // 3, LARGEST)
        count = len(parts)
        found += [
            Section(f"{title}, part {n} of {count}", part.nodes) for n, part in enumerate(parts, 1)
        ]
    return found


def block_of(module: str) -> str:
    """Return ``blocks.3.0`` of ``blocks.3.0.ghost1.up``; "" for what is of no block."""
    module = module[:MAX_NAME].split(";")[0]
    match = _BLOCK.match(module) or _NUMBERED.match(re.split(r"[./]", module)[0])
    return match[1] if match else ""


def _common_root(modules: Sequence[str]) -> int:
    """Return the length of ``MobilenetV2/`` where all modules begin so."""
    return _shared(modules).rfind("/") + 1


def _shared(names: Sequence[str]) -> str:
    """Return what all names begin with; "" for one name alone."""
    if len(set(names)) < 2:
        return ""
    low, high = min(names), max(names)
    return next((low[:n] for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), low)


def _merged(cards: list[list[int]]) -> list[list[int]]:
    """Return the cards with neighbouring small ones made one."""
    merged: list[list[int]] = []
    was_small = False
    for members in cards:
        small = len(members) < SMALL
        if merged and small and was_small and len(merged[-1]) + len(members) <= LARGEST:
            merged[-1] += members
        else:
            merged.append(list(members))
        was_small = small
    return merged


def _title(graph: Graph, members: Iterable[int], strip: int) -> str:
    names = []
    for i in members:
        module = graph.nodes[i].module[strip:]
        names.append(block_of(module) or re.split(r"[./]", module or graph.nodes[i].name)[0])
    names = list(dict.fromkeys(names))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _pieces(graph: Graph, members: Sequence[int], least: int, most: int) -> list[Section]:
    """Cut where the fewest values cross, in one pass."""
    crossing = _crossing(graph, members)
    found: list[Section] = []
    start = 0
    while start < len(members):
        end = len(members)
        if end - start > most:
            best = range(start + least, start + most + 1)
            end = min(best, key=lambda cut: (crossing[cut], -cut))
        part = tuple(members[start:end])
        found.append(Section(_piece_title(graph, part), part))
        start = end
    return found


def _crossing(graph: Graph, members: Sequence[int]) -> list[int]:
    """Count the values made before, and read after, each place between two members."""
    position = {name: n for n, i in enumerate(members) for name in graph.nodes[i].outputs}
    last: dict[str, int] = {}
    for n, i in enumerate(members):
        last.update((name, n) for name in graph.nodes[i].inputs if name in position)
    change = [0] * (len(members) + 2)
    for name, reader in last.items():
        if reader > position[name]:
            change[position[name] + 1] += 1
            change[reader + 1] -= 1
    counts, total = [], 0
    for step in change:
        total += step
        counts.append(total)
    return counts


def _piece_title(graph: Graph, part: tuple[int, ...]) -> str:
    nodes: list[Node] = [graph.nodes[i] for i in part]
    shared = _shared([node.name for node in nodes])
    root = shared[: max(shared.rfind("/"), shared.rfind("."), 0)]
    span = f"nodes {part[0] + 1}–{part[-1] + 1}" if len(part) > 1 else f"node {part[0] + 1}"
    return f"{root}: {span}" if root else span
