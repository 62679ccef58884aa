"""JUnit XML for CI: a suite a file, a case a rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from ghostdeploy.lint import RULES
from ghostdeploy.report.lint import Linted
from ghostdeploy.report.lint.groups import Names, names_of, summary
from ghostdeploy.report.text import clean
from ghostdeploy.types import Finding

NAME, TEXT = 300, 1000  # characters
MAX_LINES = 500  # of one case's findings
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(linted: Sequence[Linted], *, strict: bool = False) -> str:
    """Errors are failures, with ``strict`` warnings too; the rest is a case's output."""
    root = ElementTree.Element("testsuites", name="ghostdeploy lint")
    for one in linted:
        _suite(root, one, ("error", "warning") if strict else ("error",))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root, " ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(root: ElementTree.Element, one: Linted, failing: tuple[str, ...]) -> None:
    found: dict[str, list[Finding]] = {code: [] for code in RULES}
    for finding in one.report.findings:
        found.setdefault(finding.rule, []).append(finding)
    suite = ElementTree.SubElement(root, "testsuite", name=_xml(one.path, NAME))
    names = names_of(one.graph)
    for code, findings in found.items():
        case = ElementTree.SubElement(
            suite, "testcase", classname=_xml(one.path, NAME), name=_xml(code, NAME), time="0"
        )
        bad = [f for f in findings if f.severity in failing and not f.allowed]
        rest = [f for f in findings if f.severity not in failing or f.allowed]
        _case(case, [_line(f, names) for f in rest], [_line(f, names) for f in bad], summary(bad))
    suite.set("tests", str(len(found)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", "0")


def _case(case: ElementTree.Element, rest: list[str], bad: list[str], headline: str) -> None:
    if bad:
        message = f"{headline}: {bad[0]}"
        failure = ElementTree.SubElement(case, "failure", type="lint", message=_xml(message, TEXT))
        failure.text = _lines(bad)
    if rest:
        ElementTree.SubElement(case, "system-out").text = _lines(rest)


def _line(finding: Finding, names: Names) -> str:
    module = names.place(finding)
    where = _xml(finding.node, NAME) + (
        f" ({_xml(module, NAME)})" if module != finding.node else ""
    )
    text = f"{_xml(finding.severity, NAME)}: {where}: {_xml(finding.message, TEXT)}"
    text += f"; fix: {_xml(finding.fix, TEXT)}" if finding.fix else ""
    return text + (f"; allowed: {_xml(finding.allowed, TEXT)}" if finding.allowed else "")


def _lines(lines: list[str]) -> str:
    more = len(lines) - MAX_LINES
    return "\n".join(lines[:MAX_LINES] + ([f"and {more} more"] if more > 0 else []))


def _xml(text: str, limit: int) -> str:
    """One line without the characters that XML 1.0 forbids."""
    return _NOT_XML.sub("", clean(text, limit))
