"""SARIF 2.1.0: what code hosts ask of a file before they show it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ghostdeploy.lint import RULES
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.sarif import make_relative_uri, render

LEVELS = {"none", "note", "warning", "error"}
ABSOLUTE = re.compile(r"^(/|[A-Za-z][A-Za-z0-9+.-]*:|\\)")


def run_of(*linted: Linted) -> dict[str, Any]:
    """The only run, after all checks of the file's structure."""
    document = json.loads(render(linted))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "ghostdeploy"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        check_rule(rule)
    for result in run["results"]:
        check_result(result, rules)
    fingerprints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)
    return run  # type: ignore[no-any-return]


def check_rule(rule: dict[str, Any]) -> None:
    assert rule["id"]
    assert rule["name"]
    for key in ("shortDescription", "fullDescription", "help"):
        assert rule[key]["text"].strip()
    assert rule["defaultConfiguration"]["level"] in LEVELS


def check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in LEVELS
    assert result["message"]["text"].strip()
    assert len(result["locations"]) == 1
    for location in (*result["locations"], *result.get("relatedLocations", ())):
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert uri
        assert uri.isascii()
        assert not ABSOLUTE.match(uri)
        assert ".." not in uri.split("/")
        assert physical["region"]["startLine"] >= 1
    for logical in result["locations"][0]["logicalLocations"]:
        assert logical["name"]
        assert logical["fullyQualifiedName"]
        assert logical["kind"] in ("element", "module")
    for suppression in result.get("suppressions", ()):
        assert suppression["kind"] in ("inSource", "external")
        assert suppression["justification"]


def test_rules_speak_from_their_docstrings(clean_model: Linted) -> None:
    rules = run_of(clean_model)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    layout = next(rule for rule in rules if rule["id"] == "layout-ops")
    assert layout["name"] == "LayoutOps"
    assert layout["shortDescription"]["text"].startswith("reshape, transpose")
    for rule in rules:
        assert rule["shortDescription"]["text"] != rule["id"], "its docstring has no What"
        assert rule["fullDescription"] != rule["shortDescription"], "its docstring has no Why"
        assert rule["help"] != rule["shortDescription"], "its docstring has no Fix"


def test_results(model: Linted) -> None:
    results = run_of(model)["results"]
    assert Counter(r["level"] for r in results) == {"warning": 4, "error": 1, "note": 1}
    first = results[0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "ghostdeploy/zoo/layers.py"
    names = [x["fullyQualifiedName"] for x in first["locations"][0]["logicalLocations"]]
    assert names == ["blocks.0.0.ghost1.up/resize", "blocks.0.0.ghost1.up"]
    related = first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert related == "models/ghost.tflite"
    assert first["message"]["text"].endswith("Fix: use bilinear")


def test_without_a_source_the_model_file_is_the_place(model: Linted) -> None:
    error = next(r for r in run_of(model)["results"] if r["level"] == "error")
    uri = error["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "models/ghost.tflite"
    assert "relatedLocations" not in error


def test_allowed_findings_are_suppressed_with_the_reason(model: Linted) -> None:
    (allowed,) = (r for r in run_of(model)["results"] if "suppressions" in r)
    assert allowed["suppressions"] == [{"kind": "external", "justification": "the task needs it"}]


def test_a_line_in_the_source(model: Linted) -> None:
    found = replace(model.report.findings[0], source="ghostdeploy/zoo/layers.py:42")
    run = run_of(replace(model, report=replace(model.report, findings=(found,))))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 42
    assert place["artifactLocation"]["uri"] == "ghostdeploy/zoo/layers.py"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("models/a b%.tflite", "models/a%20b%25.tflite"),
        ("/elsewhere/secret/m.onnx", "m.onnx"),
        ("../../m.onnx", "m.onnx"),
        ("C:\\models\\m.onnx", "m.onnx"),
        ("models\\m.onnx", "models/m.onnx"),
        ("https://x/m.onnx", "m.onnx"),
        ("/", "model"),
    ],
)
def test_uris_are_relative(path: str, uri: str) -> None:
    assert make_relative_uri(path) == uri


def test_a_path_below_the_working_directory_keeps_its_folders() -> None:
    assert make_relative_uri(str(Path.cwd() / "models" / "m.onnx")) == "models/m.onnx"


def test_fingerprints_do_not_hang_on_the_folder(model: Linted) -> None:
    here, there = run_of(model), run_of(replace(model, path="/elsewhere/ghost.tflite"))
    keys = [[r["partialFingerprints"] for r in run["results"]] for run in (here, there)]
    assert keys[0] == keys[1]


def test_hostile_names(hostile: Linted) -> None:
    run = run_of(hostile)
    assert len(run["results"]) == 3
    text = render([hostile])
    assert text.isascii()
    assert "\\ud800" not in text
    assert "somewhere" not in text


def test_several_files_and_the_same_twice(model: Linted, clean_model: Linted) -> None:
    run = run_of(model, clean_model, model)
    assert len(run["results"]) == 2 * len(model.report.findings)
    assert run_of()["results"] == []
