"""The lowered graph drawn by block and partition: one HTML file that needs nothing else.

Each block is a card; in it rows go down and a DFC branch stands beside the Ghost path. Stripes
are XNNPACK partitions. Whatever comes from a file is text: Jinja escapes it, and the one script
puts it in by ``textContent``. The page may run no script but its own and fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.network_view import nodes_behind
from ghostdeploy.lint.rules.dfc_contract import branches
from ghostdeploy.lint.stages import Stage, stages
from ghostdeploy.report.lint import Linted
from ghostdeploy.report.lint.drawing import Drawing, Surroundings, draw, shape_text
from ghostdeploy.report.lint.facts import headline, lowerings
from ghostdeploy.report.lint.families import FAMILIES, family
from ghostdeploy.report.lint.groups import (
    Group,
    allowed_findings,
    counted,
    groups,
    open_findings,
    rank,
    summary,
)
from ghostdeploy.report.lint.sections import Section, sections
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.page import fill_template
from ghostdeploy.schema import Finding

TEMPLATE = "picture.html.j2"
NAME, TEXT = 200, 1000  # characters
MAX_ATTRIBUTES = 12
ALL_OPEN = 700  # nodes up to which every card is open
WIDE = 4  # columns from which on a card takes the whole width
KNOWN = ("error", "warning", "info")


def render(linted: Sequence[Linted]) -> str:
    """The page. Raises MissingExtraError where Jinja2 is absent."""
    script = files("ghostdeploy.report.lint").joinpath("templates/picture.js").read_text("utf-8")
    pages = [_page(one, f"g{n}") for n, one in enumerate(linted)]
    return fill_template(
        TEMPLATE,
        package="ghostdeploy.report.lint",
        pages=pages,
        script=script,
        policy=_policy(script),
        data=_embedded({page["key"]: page.pop("data") for page in pages}),
        families=FAMILIES,
    )


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _embedded(data: object) -> str:
    """JSON that cannot end its script element."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@dataclass(frozen=True)
class _Marks:
    """The findings of each node, and where a finding's node is."""

    of_node: Mapping[int, tuple[Finding, ...]]
    target: Mapping[int, int]  # by the finding's place in the report

    def severity(self, i: int) -> str:
        found = [f.severity for f in self.of_node.get(i, ()) if not f.allowed]
        return min(found, key=rank) if found else ""


def _page(linted: Linted, key: str) -> dict[str, Any]:
    graph, report = linted.graph, linted.report
    parts = sections(graph)
    turns = stages(graph, report.partitions)
    marks = _marks(graph, report.findings)
    around = _surroundings(graph, parts, turns)
    everything_open = len(graph.nodes) <= ALL_OPEN
    cards = [_card(around, marks, n, part, everything_open) for n, part in enumerate(parts)]
    plain = report.findings
    numbers = {id(f): n for n, f in enumerate(plain)}
    runs = sum(stage.partition > 0 for stage in turns)
    kernels = report.partitions.kernels if report.partitions else runs
    return {
        "key": key,
        "title": clean(linted.path.replace("\\", "/").rpartition("/")[2] or linted.path, NAME),
        "path": clean(linted.path, NAME),
        "facts": [clean(fact, NAME) for fact in headline(linted)],
        "subgraphs": counted(len(graph.subgraphs), "subgraph") if graph.subgraphs else "",
        "runtime": clean(report.partitions.runtime, NAME) if report.partitions else "",
        "summary": summary(plain),
        "counts": [(s, sum(f.severity == s for f in open_findings(plain))) for s in KNOWN],
        "families": _family_counts(graph),
        "cards": cards,
        "groups": [_listed(group, marks, numbers) for group in groups(graph, open_findings(plain))],
        "allowed": [
            _listed(group, marks, numbers) for group in groups(graph, allowed_findings(plain))
        ],
        "partitions": _partition_list(around),
        "mismatch": f"drawn are {runs}, the runtime reported {kernels}" if runs != kernels else "",
        "dfc": [
            (clean(text, TEXT), [clean(m, NAME) for m in modules])
            for text, modules in lowerings(report).items()
        ],
        "data": [_details(around, marks, i) for i in range(len(graph.nodes))],
    }


def _marks(graph: Graph, findings: Sequence[Finding]) -> _Marks:
    """A finding names a node, a value or a module; the latter two lead to a node as well."""
    where: dict[str, int] = {}
    for i, node in reversed(list(enumerate(graph.nodes))):
        where[node.module] = i
    for i, node in enumerate(graph.nodes):
        where.update(dict.fromkeys(node.outputs, i))
    where.update({node.name: i for i, node in reversed(list(enumerate(graph.nodes)))})
    where.pop("", None)
    of_node: dict[int, list[Finding]] = {}
    target: dict[int, int] = {}
    for n, finding in enumerate(findings):
        place = where.get(finding.node, where.get(finding.module, -1))
        target[n] = place
        if place >= 0:
            of_node.setdefault(place, []).append(finding)
    return _Marks({i: tuple(found) for i, found in of_node.items()}, target)


def _surroundings(graph: Graph, parts: Sequence[Section], turns: tuple[Stage, ...]) -> Surroundings:
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
    """The places of each DFC branch's nodes, those that make up its resize included."""
    place = {id(node): i for i, node in enumerate(graph.nodes)}
    behind = nodes_behind(graph)
    return [
        frozenset(place[id(n)] for node in b.nodes for n in behind.get(node.name, (node,)))
        for b in branches(graph)
    ]


def _card(
    around: Surroundings, marks: _Marks, number: int, part: Section, everything_open: bool
) -> dict[str, Any]:
    drawing: Drawing | None = None if part.constant else draw(around, number, part.nodes)
    shown = [i for i in part.nodes if marks.severity(i)]
    worst = min((marks.severity(i) for i in shown), key=rank, default="")
    outside = sum(_partition_of(around, i) == 0 for i in part.nodes) if around.stages else 0
    return {
        "number": number,
        "title": clean(part.title, 80),
        "count": counted(len(part.nodes), "operator"),
        "open": bool(drawing) and (everything_open or bool(shown)),
        "wide": bool(drawing and drawing.columns > WIDE),
        "drawing": drawing,
        "height": round(drawing.height) + 48 if drawing else 200,  # pixels, as laid out
        "cells": [_cell(around, marks, i) for i in part.nodes],
        "outside": outside,
        "findings": sum(not f.allowed for i in part.nodes for f in marks.of_node.get(i, ())),
        "worst": _known(worst),
        "badges": {
            i: (_known(marks.severity(i)), sum(not f.allowed for f in marks.of_node[i]))
            for i in shown
        },
        "dfc": any(branch & frozenset(part.nodes) for branch in around.branches),
    }


def _known(severity: str) -> str:
    """A severity as a CSS class."""
    return severity if not severity or severity in KNOWN else "info"


def _cell(around: Surroundings, marks: _Marks, i: int) -> tuple[int, str, str, bool]:
    outside = bool(around.stages) and _partition_of(around, i) == 0
    return i, family(around.graph.nodes[i]), _known(marks.severity(i)), outside


def _partition_of(around: Surroundings, i: int) -> int:
    stage = around.stage_of.get(i)
    return -1 if stage is None else around.stages[stage].partition


def _family_counts(graph: Graph) -> list[tuple[str, str, int]]:
    counts = dict.fromkeys(FAMILIES, 0)
    for node in graph.nodes:
        counts[family(node)] += 1
    return [(name, FAMILIES[name], count) for name, count in counts.items() if count]


def _listed(group: Group, marks: _Marks, numbers: Mapping[int, int]) -> dict[str, Any]:
    return {
        "severity": "allowed" if group.findings[0].allowed else _known(group.severity),
        "word": clean(group.severity, 20),
        "rule": clean(group.rule, 60),
        "message": clean(group.message, TEXT),
        "fix": clean(group.fix, TEXT),
        "allowed": clean(group.findings[0].allowed, TEXT),
        "items": [(marks.target[numbers[id(f)]], clean(f.node, 90)) for f in group.findings],
    }


def _partition_list(around: Surroundings) -> list[dict[str, Any]]:
    """Each partition with its size, and what splits it from the one before."""
    found = []
    for stage in around.stages:
        found.append(
            {
                "number": stage.partition,
                "count": counted(len(stage.nodes), "node"),
                "times": f"×{len(stage.nodes)}" if len(stage.nodes) > 1 else "",
                "first": stage.nodes[0] if stage.nodes else -1,
                "ops": clean(", ".join(stage.ops), 60),
                "where": _where(around.graph.nodes[stage.nodes[0]]) if stage.nodes else "",
            }
        )
    return found


def _where(node: Node) -> str:
    return clean(node.module or node.name, 60)


def _details(around: Surroundings, marks: _Marks, i: int) -> dict[str, Any]:
    """What the panel shows of a node, and what the search looks through."""
    graph, node = around.graph, around.graph.nodes[i]
    number = _partition_of(around, i)
    rows = [
        ("module", clean(node.module, NAME)),
        ("inputs", ", ".join(_typed(graph, name) for name in graph.activations(node)[:8])),
        ("outputs", ", ".join(_typed(graph, name) for name in node.outputs[:8])),
        ("weights", ", ".join(_typed(graph, n) for n in node.inputs[:8] if n in graph.constants)),
        ("partition", str(number) if number > 0 else "outside XNNPACK" if number == 0 else ""),
        ("attributes", _attributes(node)),
    ]
    found = [
        [
            _known(f.severity) if not f.allowed else "allowed",
            clean(f.rule, 60),
            clean(f.message, TEXT),
            clean(f"allowed: {f.allowed}" if f.allowed else f.fix, TEXT),
        ]
        for f in marks.of_node.get(i, ())[:20]
    ]
    return {
        "name": clean(node.name, NAME),
        "op": clean(node.native, 80),
        "rows": [row for row in rows if row[1]],
        "findings": found,
    }


def _typed(graph: Graph, name: str) -> str:
    value = graph.values.get(name)
    return clean(f"{shape_text(graph, name)} {value.dtype if value else ''}", 60)


def _attributes(node: Node) -> str:
    shown = [
        f"{clean(key, 40)} {clean(_scalar(value), 40)}"
        for key, value in list(node.attributes.items())[: 4 * MAX_ATTRIBUTES]
        if isinstance(value, bool | int | float | str | list | tuple)
    ]
    return ", ".join(shown[:MAX_ATTRIBUTES])


def _scalar(value: object) -> str:
    if isinstance(value, list | tuple):
        return "×".join(str(item)[:12] for item in value[:8])
    return str(value)[:200]
