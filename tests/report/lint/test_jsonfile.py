"""JSON: every file's report in full; and what holds for every format."""

from __future__ import annotations

import json

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.report.lint import FORMATS, render
from ghostdeploy.report.lint.jsonfile import SCHEMA
from ghostdeploy.report.lint.linted import Linted


def test_the_report_in_full(model: Linted, clean_model: Linted) -> None:
    document = json.loads(render([model, clean_model], "json"))
    assert document["schema"] == SCHEMA
    first, second = document["files"]
    assert first["path"] == "models/ghost.tflite"
    assert first["counts"] == {"error": 1, "warning": 3, "info": 1, "allowed": 1}
    assert [f["node"] for f in first["findings"]] == [f.node for f in model.report.findings]
    assert first["findings"][0]["source"] == "ghostdeploy/zoo/layers.py"
    assert first["partitions"]["kernels"] == 4
    assert len(first["partitions"]["outside"]) == 3
    assert first["op_counts"] == model.report.op_counts
    assert len(first["dfc_branches"]) == 3
    assert second["findings"] == []


def test_hostile_names(hostile: Linted) -> None:
    text = render([hostile], "json")
    (file,) = json.loads(text)["files"]
    assert len(file["findings"]) == 3
    assert "\\ud800" not in text
    text.encode("utf-8")


def test_an_unknown_format() -> None:
    with pytest.raises(UsageError, match="there are: table, json, sarif, junit, html"):
        render([], "pdf")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_what_comes(
    name: str, model: Linted, clean_model: Linted, hostile: Linted, big: Linted
) -> None:
    for linted in ([], [clean_model], [model, clean_model], [hostile], [big]):
        text = render(linted, name)
        assert text == render(linted, name), "not deterministic"
        text.encode("utf-8")
        addresses = text.count("http://") + text.count("https://")
        assert addresses == (1 if name == "sarif" else 0)
