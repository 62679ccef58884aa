"""The findings for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group as Parts
from rich.console import RenderableType
from rich.text import Text

from ghostdeploy.report.lint.facts import describe_graph, group_branches
from ghostdeploy.report.lint.groups import (
    group_findings,
    pluralize,
    read_names,
    select_allowed,
    select_open,
    summarize,
)
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.clean_text import clean, display_width, pad
from ghostdeploy.report.parts.layout import (
    FAINT,
    HEADER,
    SEVERITIES,
    hang,
    indent,
    join,
    safe,
    separate,
)
from ghostdeploy.report.parts.layout import render as draw
from ghostdeploy.schema import Finding

NAME, MESSAGE = 300, 2000  # characters
SEVERITY, COUNT = 8, 5  # columns
MAX_RULE = 24


def render(linted: Sequence[Linted], *, verbose: bool = False) -> str:
    """Return what is printed where there is no terminal: a line each, whatever its length."""
    return draw(compose(linted, verbose=verbose)) if linted else ""


def compose(linted: Sequence[Linted], *, verbose: bool = False) -> Parts:
    """Return every file's head line, findings and DFC branches; ``verbose`` lists each finding."""
    return separate([[_file(one, verbose)] for one in linted])


def _file(linted: Linted, verbose: bool) -> Parts:
    report = linted.report
    counts = ", ".join(f"{clean(op, NAME)} {count}" for op, count in report.op_counts.items())
    found = select_open(report.findings)
    head = [safe(" · ".join(describe_graph(linted))), safe(counts, FAINT), *_outside(linted)]
    blocks = [
        [safe(linted.path, HEADER), indent(*head)],
        list(_each(linted, found) if verbose else _groups(linted, found)),
        list(_allowed(linted)),
        list(_dfc(linted)),
        [indent(safe(summarize(report.findings), HEADER))],
    ]
    return separate(blocks)


def _outside(linted: Linted) -> Iterator[RenderableType]:
    """Yield the operators that XNNPACK leaves, each with its first node."""
    partitions = linted.report.partitions
    places: dict[str, list[str]] = {}
    for name, op in partitions.outside if partitions else ():
        places.setdefault(op, []).append(name)
    for op, names in places.items():
        more = f" +{len(names) - 1} more" if len(names) > 1 else ""
        text = f"{clean(op, NAME)} ×{len(names)}: {clean(names[0], NAME)}{more}"
        yield hang("outside XNNPACK: ", safe(text))


def _groups(linted: Linted, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    groups = group_findings(linted.graph, findings)
    if not groups:
        return
    rule = min(MAX_RULE, max(display_width(clean(g.rule)) for g in groups))
    yield indent(Text(f"{'severity':{SEVERITY}}  {'rule':{rule}}  count  where", HEADER))
    for group in groups:
        cells = f"  {pad(clean(group.rule, MAX_RULE), rule)}  {len(group.findings):{COUNT}}  "
        mark = join(_severity(group.severity), cells)
        more = len(group.findings) - 1
        where = clean(group.places[0], NAME)
        if ":" in (line := group.findings[0].source):  # the author's; a file alone is ours
            where += f", {clean(line, NAME)}"
        where += f" +{more} more" if more else ""
        yield hang(mark, Text(where), 2)
        yield from _explain(group.message, group.fix)


def _severity(severity: str) -> Text:
    text = pad(clean(severity, SEVERITY), SEVERITY)
    return Text(text, SEVERITIES.get(severity, ""))


def _explain(message: str, fix: str) -> Iterator[RenderableType]:
    margin = 2 + SEVERITY + 2
    if message:
        yield hang("", safe(message, limit=MESSAGE), margin)
    if fix:
        yield hang(Text("fix: ", FAINT), safe(fix, limit=MESSAGE), margin)


def _each(linted: Linted, findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Yield one entry for each finding, in the order of the groups."""
    names = read_names(linted.graph)
    for group in group_findings(linted.graph, findings):
        for finding in group.findings:
            module, node = names.place(finding), finding.node
            where = clean(node, NAME)
            where += f" ({clean(module, NAME)})" if module != node else ""
            where += f", {clean(finding.source, NAME)}" if finding.source else ""
            head = f"{clean(finding.rule, MAX_RULE)}: {where}"
            yield hang(join(_severity(finding.severity), "  "), Text(head), 2)
            yield from _explain(finding.message, finding.fix)


def _allowed(linted: Linted) -> Iterator[RenderableType]:
    found = select_allowed(linted.report.findings)
    if not found:
        return
    yield indent(Text(f"Allowed ({len(found)})", HEADER))
    reasons: dict[str, list[Finding]] = {}
    for finding in found:
        reasons.setdefault(finding.allowed, []).append(finding)
    for reason, members in reasons.items():
        for group in group_findings(linted.graph, members):
            rule = f"{clean(group.rule, MAX_RULE)} ×{len(group.findings)}"
            yield hang("", Text(f"{rule}, {clean(group.where, NAME)}"), 4)
            yield hang(Text("because: ", FAINT), safe(reason), 4 + SEVERITY)


def _dfc(linted: Linted) -> Iterator[RenderableType]:
    """Yield one entry for the branches that lowered alike, each named by its module."""
    kinds = group_branches(linted.report)
    if not kinds:
        return
    count = len(linted.report.dfc_branches)
    ways = pluralize(len(kinds), "way")
    yield indent(Text(f"DFC branches: {count}, lowered in {ways}", HEADER))
    for text, modules in kinds.items():
        yield hang("", Text(", ".join(clean(module, NAME) for module in modules)), 4)
        yield hang(Text("= ", FAINT), safe(text), 6)
