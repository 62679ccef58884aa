"""What a change did to the lowered graph: two files' reports set side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.report.lint.groups import read_names
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.schema import Finding, GraphReport, Partitions


@dataclass(frozen=True)
class OpChange:
    """How many nodes of an operator there were, and are."""

    op: str
    old: int
    new: int


@dataclass(frozen=True)
class ModuleChange:
    """The operators that a module, or a node of no module, lost and won."""

    module: str
    gone: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Sizes:
    """A file's sizes, None where unknown: ``file_bytes`` for a file that is no longer there."""

    operators: int
    file_bytes: int | None
    weights_mb: float | None
    activations_mb: float | None
    macs: int | None
    params: int | None


@dataclass(frozen=True)
class LintDiff:
    """What differs between two files.

    ``neutral_ops``: the formats differ, so operators go by the neutral names.
    """

    old: str
    new: str
    neutral_ops: bool
    ops: tuple[OpChange, ...]
    modules: tuple[ModuleChange, ...]
    findings_new: tuple[Finding, ...]
    findings_gone: tuple[Finding, ...]
    partitions_old: Partitions | None
    partitions_new: Partitions | None
    sizes_old: Sizes
    sizes_new: Sizes
    dfc_branches_old: int
    dfc_branches_new: int

    @property
    def same(self) -> bool:
        """Whether nothing that is known of the two differs."""
        return (
            not (self.ops or self.modules or self.findings_new or self.findings_gone)
            and self.partitions_old == self.partitions_new
            and self.sizes_old == self.sizes_new
            and self.dfc_branches_old == self.dfc_branches_new
        )


def diff(old: Linted, new: Linted) -> LintDiff:
    """Compare two files: their operators, findings, partitions and sizes."""
    neutral = old.graph.format != new.graph.format
    return LintDiff(
        old=old.path,
        new=new.path,
        neutral_ops=neutral,
        ops=_ops(old.graph, new.graph, neutral),
        modules=_modules(old.graph, new.graph, neutral),
        findings_new=_only_in(new, old),
        findings_gone=_only_in(old, new),
        partitions_old=old.report.partitions,
        partitions_new=new.report.partitions,
        sizes_old=_sizes(old),
        sizes_new=_sizes(new),
        dfc_branches_old=len(old.report.dfc_branches),
        dfc_branches_new=len(new.report.dfc_branches),
    )


def _op(node: Node, neutral: bool) -> str:
    return node.op if neutral else node.native


def _ops(old: Graph, new: Graph, neutral: bool) -> tuple[OpChange, ...]:
    """Return the operators whose number changed, the largest change first."""
    before = Counter(_op(node, neutral) for node in old.nodes)
    after = Counter(_op(node, neutral) for node in new.nodes)
    changes = [OpChange(op, before[op], after[op]) for op in before | after]
    changed = [change for change in changes if change.old != change.new]
    return tuple(sorted(changed, key=lambda c: (-abs(c.new - c.old), c.op)))


def _modules(old: Graph, new: Graph, neutral: bool) -> tuple[ModuleChange, ...]:
    """Return the places whose operators changed, in the order of the new graph."""
    before, after = _by_place(old, neutral), _by_place(new, neutral)
    changes = []
    for place in dict.fromkeys((*after, *before)):
        was, now = before.get(place, Counter()), after.get(place, Counter())
        gone, added = was - now, now - was
        if gone or added:
            changes.append(
                ModuleChange(place, tuple(sorted(gone.elements())), tuple(sorted(added.elements())))
            )
    return tuple(changes)


def _by_place(graph: Graph, neutral: bool) -> dict[str, Counter[str]]:
    """Count the operators of each module; nodes of no module are one place."""
    places: dict[str, Counter[str]] = {}
    for node in graph.nodes:
        places.setdefault(node.module, Counter())[_op(node, neutral)] += 1
    return places


def _only_in(one: Linted, other: Linted) -> tuple[Finding, ...]:
    """Return the findings of ``one`` that have no like in ``other``."""
    left = Counter(key for key, _ in _keyed(other))
    found = []
    for key, finding in _keyed(one):
        if left[key]:
            left[key] -= 1
        else:
            found.append(finding)
    return tuple(found)


def _keyed(linted: Linted) -> Iterable[tuple[tuple[object, ...], Finding]]:
    names = read_names(linted.graph)
    for f in linted.report.findings:
        key = (f.rule, f.severity, names.place(f), names.kind(f), bool(f.allowed))
        yield key, replace(f, module=f.module or names.modules.get(f.node, ""))


def _sizes(linted: Linted) -> Sizes:
    report: GraphReport = linted.report
    return Sizes(
        operators=len(linted.graph.nodes),
        file_bytes=_file_bytes(linted.path),
        weights_mb=report.weights_mb,
        activations_mb=report.activations_mb,
        macs=report.macs,
        params=report.params,
    )


def _file_bytes(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return None
