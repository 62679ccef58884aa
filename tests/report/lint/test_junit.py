"""JUnit XML: a suite a file, a case a rule."""

from __future__ import annotations

from xml.etree import ElementTree

from ghostdeploy.lint import RULES
from ghostdeploy.report.lint.junit import render
from ghostdeploy.report.lint.linted import Linted


def parse(*linted: Linted, strict: bool = False) -> ElementTree.Element:
    """The root, its sums checked."""
    root = ElementTree.fromstring(render(linted, strict=strict).encode())
    assert root.tag == "testsuites"
    assert len(root) == len(linted)
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        names = [case.attrib["name"] for case in suite]
        assert len(set(names)) == len(names)
    for key in ("tests", "failures"):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)
    return root


def failures(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    cases = root.iter("testcase")
    return {c.attrib["name"]: f for c in cases for f in c.findall("failure")}


def test_a_clean_file_passes_every_rule(clean_model: Linted) -> None:
    (suite,) = parse(clean_model)
    assert suite.attrib["name"] == "models/clean.tflite"
    assert [case.attrib["name"] for case in suite] == list(RULES)
    assert suite.attrib["failures"] == "0"


def test_errors_fail(model: Linted) -> None:
    found = failures(parse(model))
    assert list(found) == ["dfc-contract"]
    assert "no DFC branch was found here" in found["dfc-contract"].attrib["message"]
    assert "blocks.1.0.ghost1" in (found["dfc-contract"].text or "")


def test_with_strict_warnings_fail_but_not_the_allowed(model: Linted) -> None:
    found = failures(parse(model, strict=True))
    assert set(found) == {"dfc-contract", "xnnpack"}
    assert len((found["xnnpack"].text or "").splitlines()) == 3
    assert found["xnnpack"].attrib["message"].startswith("3 warnings: ")


def test_the_rest_is_output(model: Linted) -> None:
    root = parse(model)
    texts = {c.attrib["name"]: c.findtext("system-out") for c in root.iter("testcase")}
    assert "allowed: the task needs it" in (texts["layout-ops"] or "")
    assert "the batch is 1" in (texts["batch"] or "")
    assert len((texts["xnnpack"] or "").splitlines()) == 3


def test_hostile_names(hostile: Linted) -> None:
    root = parse(hostile)
    assert len(failures(root)) == 1
    assert "<script>alert(1)" in (root[0].attrib["name"])


def test_several_files(model: Linted, clean_model: Linted) -> None:
    assert [s.attrib["name"] for s in parse(model, clean_model)] == [model.path, clean_model.path]
    assert len(parse()) == 0
