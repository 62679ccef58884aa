"""JUnit XML: a suite a device, a case a gate.

Regressed is a failure; inconclusive and invalid are errors, as CI shows neither green.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.gate.verdict import Verdict
from ghostdeploy.report.gate import wording
from ghostdeploy.report.gate.formats.text import render as render_text
from ghostdeploy.report.parts.xml import clean_xml, write_document

NAME, TEXT = 300, 1000  # characters
KINDS = {Verdict.REGRESSED: "failure", Verdict.INCONCLUSIVE: "error", Verdict.INVALID: "error"}


def render(runs: Sequence[GateRun]) -> str:
    """Return the suites; a case's text is what the terminal shows."""
    root = ElementTree.Element("testsuites", name="ghostdeploy gate")
    for device in dict.fromkeys(run.device for run in runs):
        _suite(root, device, [run for run in runs if run.device == device])
    return write_document(root)


def _suite(root: ElementTree.Element, device: str, runs: Sequence[GateRun]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=clean_xml(device, NAME))
    for run in runs:
        _case(suite, run)
    suite.set("tests", str(len(runs)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")
    suite.set("time", f"{sum(run.duration_s for run in runs):.1f}")


def _case(suite: ElementTree.Element, run: GateRun) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"gate.{clean_xml(run.device, NAME)}",
        name=clean_xml(run.name, NAME),
        time=f"{run.duration_s:.1f}",
    )
    lines = [clean_xml(line, TEXT) for line in render_text([run]).splitlines()]
    kind = KINDS.get(run.said)
    if kind:
        said = clean_xml(wording.headline(run), TEXT)
        ElementTree.SubElement(case, kind, type=run.verdict, message=said).text = "\n".join(lines)
    else:
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
