"""JUnit XML for CI: a suite a file, a case a rule."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from ghostdeploy.lint import RULES
from ghostdeploy.report.lint.groups import Names, read_names, summarize
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.xml import clean_xml, write_document
from ghostdeploy.schema import Finding

NAME, TEXT = 300, 1000  # characters
MAX_LINES = 500  # of one case's findings


def render(linted: Sequence[Linted], *, strict: bool = False) -> str:
    """Return XML in which errors are failures, with ``strict`` warnings too; the rest is output."""
    root = ElementTree.Element("testsuites", name="ghostdeploy lint")
    for one in linted:
        _suite(root, one, ("error", "warning") if strict else ("error",))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    return write_document(root)


def _suite(root: ElementTree.Element, one: Linted, failing: tuple[str, ...]) -> None:
    found: dict[str, list[Finding]] = {code: [] for code in RULES}
    for finding in one.report.findings:
        found.setdefault(finding.rule, []).append(finding)
    suite = ElementTree.SubElement(root, "testsuite", name=clean_xml(one.path, NAME))
    names = read_names(one.graph)
    for code, findings in found.items():
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=clean_xml(one.path, NAME),
            name=clean_xml(code, NAME),
            time="0",
        )
        bad = [f for f in findings if f.severity in failing and not f.allowed]
        rest = [f for f in findings if f.severity not in failing or f.allowed]
        _case(case, [_line(f, names) for f in rest], [_line(f, names) for f in bad], summarize(bad))
    suite.set("tests", str(len(found)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", "0")


def _case(case: ElementTree.Element, rest: list[str], bad: list[str], headline: str) -> None:
    if bad:
        message = f"{headline}: {bad[0]}"
        failure = ElementTree.SubElement(
            case, "failure", type="lint", message=clean_xml(message, TEXT)
        )
        failure.text = _lines(bad)
    if rest:
        ElementTree.SubElement(case, "system-out").text = _lines(rest)


def _line(finding: Finding, names: Names) -> str:
    module = names.place(finding)
    where = clean_xml(finding.node, NAME) + (
        f" ({clean_xml(module, NAME)})" if module != finding.node else ""
    )
    text = f"{clean_xml(finding.severity, NAME)}: {where}: {clean_xml(finding.message, TEXT)}"
    text += f"; fix: {clean_xml(finding.fix, TEXT)}" if finding.fix else ""
    return text + (f"; allowed: {clean_xml(finding.allowed, TEXT)}" if finding.allowed else "")


def _lines(lines: list[str]) -> str:
    more = len(lines) - MAX_LINES
    return "\n".join(lines[:MAX_LINES] + ([f"and {more} more"] if more > 0 else []))
