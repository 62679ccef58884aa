"""Findings put together that say the same of different nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.schema import Finding

SEVERITIES = ("error", "warning", "info")
ELSEWHERE = "…"  # stands for a name or number in the message of a group
MAX_MESSAGE = 4000  # characters
_WORD = re.compile(r"[^\s,;()'\"]+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_MANY = re.compile(r"…(?:[,×]…)+")
_LIKE_A_NAME = re.compile(r"[./_:#\d]")


@dataclass(frozen=True)
class Group:
    """At least one finding of one rule, severity and kind of message."""

    severity: str
    rule: str
    message: str
    findings: tuple[Finding, ...]
    places: tuple[str, ...]

    @property
    def fix(self) -> str:
        """The first fix that a finding of the group names."""
        return next((f.fix for f in self.findings if f.fix), "")

    @property
    def where(self) -> str:
        """The first place, and how many more findings there are."""
        more = len(self.findings) - 1
        return self.places[0] + (f" +{more} more" if more else "")


@dataclass(frozen=True)
class Names:
    """What a graph calls its nodes, values and modules."""

    known: frozenset[str]
    modules: dict[str, str]

    def place(self, finding: Finding) -> str:
        """Return the module of a finding, else its node."""
        return finding.module or self.modules.get(finding.node) or finding.node

    def kind(self, finding: Finding) -> str:
        """Return the message without the names of nodes and modules."""
        text = finding.message[:MAX_MESSAGE]
        module = self.place(finding)
        for name in sorted({finding.node, module}, key=len, reverse=True):
            if len(name) > 2:
                text = text.replace(name, ELSEWHERE)
        return _WORD.sub(self._unnamed, text)

    def _unnamed(self, match: re.Match[str]) -> str:
        word = match[0].rstrip(".:")
        if word in self.known and _LIKE_A_NAME.search(word):
            return ELSEWHERE + match[0][len(word) :]
        return match[0]


def read_names(graph: Graph) -> Names:
    """Return the names that ``graph`` uses."""
    modules = {node.name: node.module for node in graph.nodes if node.module}
    nodes = {node.name for node in graph.nodes}
    return Names(
        frozenset(nodes | modules.keys() | set(modules.values()) | set(graph.values)), modules
    )


def group_findings(graph: Graph, findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Group findings: most severe first, then by the rule's name, then in the graph's order."""
    names = read_names(graph)
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        kind = _MANY.sub(ELSEWHERE, _NUMBER.sub(ELSEWHERE, names.kind(finding)))
        found.setdefault((finding.severity, finding.rule, kind), []).append(finding)
    made = [_group(names, key, tuple(members)) for key, members in found.items()]
    return tuple(sorted(made, key=lambda g: (rank(g.severity), g.rule)))


def rank(severity: str) -> int:
    """Return the place of a severity, 0 for the worst; unknown ones come last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def select_open(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that no exception covers."""
    return tuple(f for f in findings if not f.allowed)


def select_allowed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that an exception covers."""
    return tuple(f for f in findings if f.allowed)


def pluralize(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 node``, ``14 nodes``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def summarize(findings: Iterable[Finding]) -> str:
    """Return a text like ``2 errors, 1 warning, 3 allowed``, or ``no findings``."""
    everything = tuple(findings)
    shown = select_open(everything)
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings")}
    parts = []
    for severity in dict.fromkeys((*SEVERITIES, *sorted({f.severity for f in shown}))):
        count = sum(f.severity == severity for f in shown)
        if count:
            word = clean(severity, 20)
            parts.append(pluralize(count, *words.get(severity, (word, word))))
    hidden = len(everything) - len(shown)
    parts += [f"{hidden} allowed"] if hidden else []
    return ", ".join(parts) or "no findings"


def _group(names: Names, key: tuple[str, str, str], members: tuple[Finding, ...]) -> Group:
    severity, rule, kind = key
    texts = {f.message for f in members} if len(members) == 1 else {names.kind(f) for f in members}
    message = texts.pop() if len(texts) == 1 else kind
    places = tuple(dict.fromkeys(names.place(f) for f in members))
    return Group(severity, rule, message, members, places)
