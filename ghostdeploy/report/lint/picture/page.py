"""The lowered graph drawn by block and partition: one HTML file that needs nothing else.

Each block is a card; in it rows go down and a DFC branch stands beside the Ghost path. Stripes
are XNNPACK partitions. Whatever comes from a file is text: Jinja escapes it, and the one script
puts it in by ``textContent``. The page may run no script but its own and fetch nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghostdeploy.linting.delegates.stages import find_stages
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.report.lint.facts import describe_graph, group_branches
from ghostdeploy.report.lint.groups import (
    Group,
    group_findings,
    pluralize,
    select_allowed,
    select_open,
    summarize,
)
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.picture.cards import Card, make_card
from ghostdeploy.report.lint.picture.details import tell_details
from ghostdeploy.report.lint.picture.families import FAMILIES, family_of
from ghostdeploy.report.lint.picture.marks import Marks, css_class, mark_nodes
from ghostdeploy.report.lint.picture.sections import cut_into_sections
from ghostdeploy.report.lint.picture.surroundings import Surroundings, look_around
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.page import fill_template
from ghostdeploy.schema import Finding

PACKAGE = "ghostdeploy.report.lint.picture"
TEMPLATE, SCRIPTS = "picture.html.j2", ("picture.js", "zoom.js")
NAME, TEXT = 200, 1000  # characters
ALL_OPEN = 700  # nodes up to which every card is open


@dataclass(frozen=True)
class ListedGroup:
    """Findings of one kind in the list; ``places`` are nodes, −1 where none is known, and names."""

    severity: str
    word: str
    rule: str
    message: str
    fix: str
    allowed: str
    places: list[tuple[int, str]]


@dataclass(frozen=True)
class ListedPartition:
    """A partition in the list with its size, or with number 0 what splits it from the next."""

    number: int
    count: str
    times: str
    first: int
    ops: str
    where: str


@dataclass(frozen=True)
class FilePage:
    """What the template shows of one file; ``data`` is what the script reads."""

    key: str
    title: str
    facts: list[str]
    subgraphs: str
    runtime: str
    summary: str
    families: list[tuple[str, str, int]]
    cards: list[Card]
    groups: list[ListedGroup]
    allowed: list[ListedGroup]
    partitions: list[ListedPartition]
    mismatch: str
    dfc: list[tuple[str, list[str]]]
    data: list[dict[str, object]]


def render(linted: Sequence[Linted]) -> str:
    """Return the page. Raises MissingExtraError where Jinja2 is absent."""
    pages = [_page(one, f"g{n}") for n, one in enumerate(linted)]
    return fill_template(
        TEMPLATE,
        package=PACKAGE,
        pages=pages,
        scripts=SCRIPTS,
        data=_embedded({page.key: page.data for page in pages}),
        families=FAMILIES,
    )


def _embedded(data: object) -> str:
    """Return JSON that cannot end its script element."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _page(linted: Linted, key: str) -> FilePage:
    graph, report = linted.graph, linted.report
    parts = cut_into_sections(graph)
    marks = mark_nodes(graph, report.findings)
    around = look_around(graph, parts, find_stages(graph, report.partitions))
    everything_open = len(graph.nodes) <= ALL_OPEN
    return FilePage(
        key=key,
        title=clean(linted.path.replace("\\", "/").rpartition("/")[2] or linted.path, NAME),
        facts=[clean(fact, NAME) for fact in describe_graph(linted)],
        subgraphs=pluralize(len(graph.subgraphs), "subgraph") if graph.subgraphs else "",
        runtime=clean(report.partitions.runtime, NAME) if report.partitions else "",
        summary=summarize(report.findings),
        families=_count_families(graph),
        cards=[make_card(around, marks, n, part, everything_open) for n, part in enumerate(parts)],
        groups=_list_groups(linted, select_open(report.findings), marks),
        allowed=_list_groups(linted, select_allowed(report.findings), marks),
        partitions=_list_partitions(around),
        mismatch=_describe_mismatch(linted, around),
        dfc=[
            (clean(text, TEXT), [clean(m, NAME) for m in modules])
            for text, modules in group_branches(report).items()
        ],
        data=[tell_details(around, marks, i) for i in range(len(graph.nodes))],
    )


def _count_families(graph: Graph) -> list[tuple[str, str, int]]:
    """Return name, label and number of the operators of each family that the graph has."""
    counts = dict.fromkeys(FAMILIES, 0)
    for node in graph.nodes:
        counts[family_of(node)] += 1
    return [(name, FAMILIES[name], count) for name, count in counts.items() if count]


def _list_groups(linted: Linted, findings: Sequence[Finding], marks: Marks) -> list[ListedGroup]:
    numbers = {id(f): n for n, f in enumerate(linted.report.findings)}
    groups = group_findings(linted.graph, findings)
    return [_list_group(group, marks, numbers) for group in groups]


def _list_group(group: Group, marks: Marks, numbers: Mapping[int, int]) -> ListedGroup:
    allowed = group.findings[0].allowed
    return ListedGroup(
        severity="allowed" if allowed else css_class(group.severity),
        word=clean(group.severity, 20),
        rule=clean(group.rule, 60),
        message=clean(group.message, TEXT),
        fix=clean(group.fix, TEXT),
        allowed=clean(allowed, TEXT),
        places=[(marks.target[numbers[id(f)]], clean(f.node, 90)) for f in group.findings],
    )


def _list_partitions(around: Surroundings) -> list[ListedPartition]:
    return [
        ListedPartition(
            number=stage.partition,
            count=pluralize(len(stage.nodes), "node"),
            times=f"×{len(stage.nodes)}" if len(stage.nodes) > 1 else "",
            first=stage.nodes[0] if stage.nodes else -1,
            ops=clean(", ".join(stage.ops), 60),
            where=_where(around.graph.nodes[stage.nodes[0]]) if stage.nodes else "",
        )
        for stage in around.stages
    ]


def _where(node: Node) -> str:
    return clean(node.module or node.name, 60)


def _describe_mismatch(linted: Linted, around: Surroundings) -> str:
    """Return how many partitions are drawn where the runtime reported others, else ""."""
    drawn = sum(stage.partition > 0 for stage in around.stages)
    partitions = linted.report.partitions
    kernels = partitions.kernels if partitions else drawn
    return f"drawn are {drawn}, the runtime reported {kernels}" if drawn != kernels else ""
