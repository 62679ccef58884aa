"""The table: groups, counts, places, what is allowed and the DFC branches, at any width."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.table import compose, render
from ghostdeploy.report.parts import layout
from ghostdeploy.report.parts.clean_text import display_width
from ghostdeploy.schema import Finding
from tests.report.lint.graphs import network, report_of


def test_the_head_line(model: Linted) -> None:
    text = render([model])
    assert "39 operators · 4 XNNPACK partitions, 3 nodes outside · 3 DFC branches" in text
    assert "weights 24.30 MB" in text
    assert "activations 3.210 MB" in text
    assert (
        "outside XNNPACK: RESIZE_NEAREST_NEIGHBOR ×3: blocks.0.0.ghost1.up/resize +2 more" in text
    )
    assert "1 error, 3 warnings, 1 info, 1 allowed" in text


def test_not_measured(clean_model: Linted) -> None:
    report = replace(clean_model.report, partitions=None, weights_mb=None, activations_mb=None)
    text = render([replace(clean_model, report=report)])
    assert "partitions not measured" in text
    assert "no findings" in text
    assert "weights" not in text
    assert "severity" not in text


def test_alike_findings_are_one_row(model: Linted) -> None:
    lines = render([model]).splitlines()
    start = next(
        n for n, line in enumerate(lines) if line.split() == ["severity", "rule", "count", "where"]
    )
    assert lines[start + 1].split() == ["error", "dfc-contract", "1", "blocks.1.0.ghost1"]
    warning = next(n for n, line in enumerate(lines) if line.split()[:1] == ["warning"])
    assert lines[warning].split() == [
        "warning",
        "xnnpack",
        "3",
        "blocks.0.0.ghost1.up",
        "+2",
        "more",
    ]
    assert lines[warning + 1].strip() == "RESIZE_NEAREST_NEIGHBOR of … splits the graph"
    assert lines[warning + 2].strip() == "fix: use bilinear"


def test_different_numbers_are_one_kind_different_words_are_two() -> None:
    graph = network()
    names = [node.name for node in graph.nodes]
    findings = [
        Finding("pad", "warning", names[0], "pads 3 rows"),
        Finding("pad", "warning", names[1], "pads 5 rows"),
        Finding("pad", "warning", names[2], "pads 5 columns"),
        Finding("pad", "error", names[3], "pads 5 columns"),
    ]
    text = render([Linted("m.tflite", graph, report_of(graph, *findings))])
    assert "pads … rows" in text
    rows = [line.split()[:3] for line in text.splitlines() if line.split()[1:2] == ["pad"]]
    assert rows == [["error", "pad", "1"], ["warning", "pad", "2"], ["warning", "pad", "1"]]


def test_verbose_lists_every_node(model: Linted) -> None:
    text = render([model], verbose=True)
    for finding in model.report.findings:
        assert finding.node in text
    assert "ghostdeploy/zoo/layers.py" in text
    assert (
        "more" not in text.split("DFC branches:")[0].split("outside XNNPACK")[1].split("\n", 1)[1]
    )


def test_what_is_allowed_stands_apart(model: Linted) -> None:
    table, allowed = render([model]).split("Allowed (1)")
    assert "it moves" not in table
    assert "layout-ops ×1, mean_37" in allowed
    assert "because: the task needs it" in allowed


def test_dfc_branches_that_lowered_alike_are_told_once(model: Linted) -> None:
    after = render([model]).split("DFC branches: 3, lowered in 1 way")[1]
    assert "blocks.0.0.ghost1, blocks.1.0.ghost1, blocks.2.0.ghost1" in after
    assert after.count("AVERAGE_POOL_2D 2×2 → CONV_2D 1×1 → DEPTHWISE_CONV_2D 1×5") == 1


def test_several_files(model: Linted, clean_model: Linted) -> None:
    text = render([model, clean_model])
    assert text.index("models/ghost.tflite") < text.index("models/clean.tflite")
    assert render([]) == ""


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_names_stay_text_in_the_width(hostile: Linted, verbose: bool, width: int) -> None:
    text = layout.render(compose([hostile], verbose=verbose), width)
    assert len(text) < 20_000
    for line in text.split("\n"):
        assert display_width(line) <= width, line
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs")]


@pytest.mark.parametrize("width", [80, 120])
def test_no_word_is_broken(model: Linted, width: int) -> None:
    shown = layout.render(compose([model]), width)
    assert shown.split() == render([model]).split()


def test_severities_have_colours_only_where_wanted(model: Linted) -> None:
    assert "\x1b[31merror" in layout.render(compose([model]), 80, color=True)
    assert "\x1b" not in render([model])
