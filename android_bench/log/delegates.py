"""Read which delegate took the graph, and in how many pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from android_bench.log.lines import LogLine

_APPLIED = re.compile(r"Explicitly applied ([^,]{1,80}) delegate, and the model graph will be (.*)")
_PARTIALLY = re.compile(
    r"partially executed by the delegate w/ ([0-9]{1,9}) delegate kernels?\.?\s*"
)
_NOT = re.compile(r"Though ([^,]{1,80}) delegate is explicitly applied, the model graph will not ")
_CREATED = re.compile(r"Created TensorFlow Lite (?:([A-Za-z0-9]{1,40}) delegate|delegate for )")
_REPLACING = re.compile(
    r"Replacing ([0-9]{1,9})(?: out of ([0-9]{1,9}))? node\(s\) with delegate "
    r"\(([^)]{1,80})\) node, yielding ([0-9]{1,9}) partitions(?: for subgraph ([0-9]{1,9}))?"
)
# SimpleDelegate's words, which Flex, NNAPI, Hexagon and Core ML have, and old XNNPACK had
_DELEGATED = re.compile(
    r"(?:([A-Za-z0-9_. -]{1,80}?) delegate: )?([0-9]{1,9}) nodes delegated out of"
    r" ([0-9]{1,9}) nodes with ([0-9]{1,9}) partitions?\b"
)


@dataclass(frozen=True)
class Delegation:
    """The log says this about delegates; None where it says nothing.

    ``kernels`` counts the delegate's own pieces of the graph. ``partitions`` counts all pieces,
    the CPU's included, where the runtime tells (``yielding N partitions``), else it is
    ``kernels``; both are 1 for a graph that one delegate takes whole.
    """

    delegate: str | None = None
    fully: bool | None = None
    kernels: int | None = None
    partitions: int | None = None


@dataclass(frozen=True)
class _Replacement:
    delegate: str
    whole: bool
    partitions: int


def parse_delegation(lines: Sequence[LogLine]) -> Delegation:
    """Read every known wording; the tool's own verdict outweighs the runtime's lines."""
    texts = [line.text for line in lines if "elegate" in line.text]
    replaced = [found for text in texts if (found := _replacement(text))]
    partitions = replaced[-1].partitions if replaced else None
    said = _verdict(texts)
    if said is not None:
        pieces = said.kernels if partitions is None else partitions
        return Delegation(said.delegate, said.fully, said.kernels, pieces)
    if replaced:
        whole = len(replaced) == 1 and replaced[0].whole
        return Delegation(replaced[-1].delegate, whole, 1 if whole else None, partitions)
    if counted := [told for text in texts if (told := _DELEGATED.match(text))]:
        return _counted(*counted[-1].groups(), alone=len(counted) == 1)
    created = [made for text in texts if (made := _CREATED.match(text))]
    return Delegation(delegate=created[-1].group(1) if created else None)


def _counted(name: str | None, nodes: str, total: str, pieces: str, *, alone: bool) -> Delegation:
    """Read a delegate's own count: its partitions are its pieces, without the CPU's."""
    return Delegation(name, alone and nodes == total and pieces == "1", int(pieces), int(pieces))


def _verdict(texts: list[str]) -> Delegation | None:
    found = [verdict for text in texts if (verdict := _applied(text) or _not_applied(text))]
    complete = [verdict for verdict in found if verdict.fully]
    best = complete or found
    return best[-1] if best else None


def _applied(text: str) -> Delegation | None:
    applied = _APPLIED.match(text)
    if not applied:
        return None
    name, how = applied.groups()
    if how.startswith("completely executed by the delegate"):
        return Delegation(name, fully=True, kernels=1)
    partially = _PARTIALLY.fullmatch(how)
    return Delegation(name, False, int(partially.group(1))) if partially else None


def _not_applied(text: str) -> Delegation | None:
    found = _NOT.match(text)
    return Delegation(found.group(1), fully=False, kernels=0) if found else None


def _replacement(text: str) -> _Replacement | None:
    found = _REPLACING.match(text)
    if not found or found.group(5) not in (None, "0"):
        return None
    replaced, total, delegate, partitions, _ = found.groups()
    return _Replacement(delegate, replaced == total and partitions == "1", int(partitions))
