"""The findings for a terminal, at most ``WIDTH`` columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ghostdeploy.report.lint.facts import describe_graph, group_branches
from ghostdeploy.report.lint.groups import (
    Group,
    group_findings,
    pluralize,
    read_names,
    select_allowed,
    select_open,
    summarize,
)
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.clean_text import clean, display_width, pad, wrap
from ghostdeploy.schema import Finding

WIDTH = 100
NAME = 60  # characters of a node's or module's name
TEXT = 600
SEVERITY, COUNT = 8, 5  # columns
INDENT = "  "
MAX_RULE = 24


def render(linted: Sequence[Linted], *, verbose: bool = False) -> str:
    """Return every file's head line, findings and DFC branches; ``verbose`` lists each finding."""
    return "\n".join("\n".join(_file(one, verbose)) + "\n" for one in linted)


def _file(linted: Linted, verbose: bool) -> Iterator[str]:
    yield from wrap(clean(linted.path, 300), WIDTH)
    yield from _joined(describe_graph(linted), " · ", INDENT)
    counts = (f"{clean(op, NAME)} {count}" for op, count in linted.report.op_counts.items())
    yield from _joined(counts, ", ", INDENT)
    yield from _outside(linted)
    found = select_open(linted.report.findings)
    if found:
        yield ""
        yield from _each(linted, found) if verbose else _table(group_findings(linted.graph, found))
    yield from _allowed(linted)
    yield from _dfc(linted)
    yield ""
    yield INDENT + summarize(linted.report.findings)


def _outside(linted: Linted) -> Iterator[str]:
    """Yield the operators that XNNPACK leaves, each with its first node."""
    partitions = linted.report.partitions
    places: dict[str, list[str]] = {}
    for name, op in partitions.outside if partitions else ():
        places.setdefault(op, []).append(name)
    for op, names in places.items():
        more = f" +{len(names) - 1} more" if len(names) > 1 else ""
        text = f"{clean(op, NAME)} ×{len(names)}: {clean(names[0], NAME)}{more}"
        yield from _hanging(f"{INDENT}outside XNNPACK: ", text)


def _table(rows: Sequence[Group]) -> Iterator[str]:
    rule = min(MAX_RULE, max(display_width(clean(g.rule)) for g in rows))
    yield _row("severity", "rule", rule, "count", "where")
    for group in rows:
        first, *more = _where(group, WIDTH - _where_column(rule))
        yield _row(group.severity, group.rule, rule, str(len(group.findings)), first)
        yield from (" " * _where_column(rule) + line for line in more)
        yield from _text(group.message)
        yield from _text(group.fix, "fix: ")


def _row(severity: str, rule: str, rule_width: int, count: str, where: str) -> str:
    cells = (
        pad(clean(severity, SEVERITY), SEVERITY),
        pad(clean(rule, rule_width), rule_width),
        pad(count, COUNT, right=True),
        where,
    )
    return (INDENT + INDENT.join(cells)).rstrip()


def _where_column(rule_width: int) -> int:
    return SEVERITY + rule_width + COUNT + 4 * len(INDENT)


def _where(group: Group, width: int) -> list[str]:
    more = len(group.findings) - 1
    text = clean(group.places[0], NAME) + (f" +{more} more" if more else "")
    return wrap(text, width)


def _text(text: str, label: str = "") -> Iterator[str]:
    if not text:
        return
    indent = INDENT * 2 + " " * SEVERITY
    first, *more = wrap(clean(text, TEXT), WIDTH - len(indent) - len(label))
    yield indent + label + first
    yield from (indent + " " * len(label) + line for line in more)


def _each(linted: Linted, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one entry for each finding, in the order of the groups."""
    names = read_names(linted.graph)
    for group in group_findings(linted.graph, findings):
        for finding in group.findings:
            module, node = names.place(finding), finding.node
            where = clean(node, NAME)
            where += f" ({clean(module, NAME)})" if module != node else ""
            where += f", {clean(finding.source, NAME)}" if finding.source else ""
            head = f"{pad(clean(finding.severity, SEVERITY), SEVERITY)}{INDENT}"
            yield from _hanging(f"{INDENT}{head}", f"{clean(finding.rule, MAX_RULE)}: {where}")
            yield from _text(finding.message)
            yield from _text(finding.fix, "fix: ")


def _allowed(linted: Linted) -> Iterator[str]:
    found = select_allowed(linted.report.findings)
    if not found:
        return
    yield from ("", f"{INDENT}Allowed ({len(found)})")
    reasons: dict[str, list[Finding]] = {}
    for finding in found:
        reasons.setdefault(finding.allowed, []).append(finding)
    for reason, members in reasons.items():
        for group in group_findings(linted.graph, members):
            where = ", ".join(_where(group, 2 * NAME))
            head = f"{clean(group.rule, MAX_RULE)} ×{len(group.findings)}, {where}"
            yield from _hanging(INDENT * 2, head)
            yield from _text(reason, "because: ")


def _dfc(linted: Linted) -> Iterator[str]:
    """Yield one entry for the branches that lowered alike, each named by its module."""
    kinds = group_branches(linted.report)
    if not kinds:
        return
    count = len(linted.report.dfc_branches)
    yield from ("", f"{INDENT}DFC branches: {count}, lowered in {pluralize(len(kinds), 'way')}")
    for text, modules in kinds.items():
        yield from _joined((clean(m, NAME) for m in modules), ", ", INDENT * 2)
        yield from _hanging(f"{INDENT * 3}= ", clean(text, TEXT))


def _hanging(head: str, text: str) -> Iterator[str]:
    first, *more = wrap(text, WIDTH - display_width(head))
    yield head + first
    yield from (" " * display_width(head) + line for line in more)


def _joined(parts: Iterable[str], separator: str, indent: str) -> Iterator[str]:
    """Yield lines that are broken between the parts, or inside one that is too long."""
    line = ""
    for part in parts:
        longer = f"{line}{separator}{part}" if line else part
        if line and display_width(indent + longer) > WIDTH:
            yield f"{indent}{line}{separator.rstrip() if separator == ', ' else ''}"
            longer = part
        *full, line = wrap(longer, WIDTH - len(indent) - 1)
        yield from (indent + piece for piece in full)
    if line:
        yield indent + line
