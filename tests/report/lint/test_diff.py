"""What a change did to the lowered graph."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from ghostdeploy.linting.graph import Node, Value
from ghostdeploy.report.lint.diff import ModuleChange, OpChange, diff
from ghostdeploy.report.lint.difftext import compose, render_markdown, render_text
from ghostdeploy.report.lint.jsonfile import make_plain
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.clean_text import display_width
from ghostdeploy.report.parts.layout import render
from ghostdeploy.schema import Finding
from tests.report.lint.graphs import SHAPE, network, report_of, resize_findings


def bilinear() -> Linted:
    """The same network with other resizes, and a transpose in one block."""
    graph = network()
    nodes = [
        replace(n, native="RESIZE_BILINEAR", op="resize_bilinear") if n.op == "resize" else n
        for n in graph.nodes
    ]
    nodes.insert(1, Node("t", "transpose", "TRANSPOSE", ("image",), ("t",), "blocks.1.0.ghost1"))
    values = {**graph.values, "t": Value("t", SHAPE, "float32", constant=False)}
    graph = replace(graph, nodes=tuple(nodes), values=values)
    finding = Finding("layout-ops", "error", "t", "TRANSPOSE moves data")
    report = report_of(graph, finding)
    return Linted("models/new.tflite", graph, replace(report, weights_mb=12.15, macs=None))


def test_operators_modules_findings_partitions(model: Linted) -> None:
    found = diff(model, bilinear())
    assert found.ops == (
        OpChange("RESIZE_BILINEAR", 0, 3),
        OpChange("RESIZE_NEAREST_NEIGHBOR", 3, 0),
        OpChange("TRANSPOSE", 0, 1),
    )
    assert ModuleChange("blocks.1.0.ghost1", (), ("TRANSPOSE",)) in found.modules
    assert len(found.modules) == 4
    assert [f.node for f in found.findings_new] == ["t"]
    assert found.findings_new[0].module == "blocks.1.0.ghost1"
    assert len(found.findings_gone) == len(model.report.findings)
    assert found.partitions_old is not None
    assert found.partitions_new is not None
    assert (found.partitions_old.kernels, found.partitions_new.kernels) == (4, 1)
    assert found.dfc_branches_old == 3
    assert not found.same


def test_the_text_says_where(model: Linted) -> None:
    text = render_text(diff(model, bilinear()))
    assert "blocks.1.0.ghost1: + TRANSPOSE\n" in text
    assert "blocks.0.0.ghost1.up (+2 more): − RESIZE_NEAREST_NEIGHBOR, + RESIZE_BILINEAR" in text
    assert "error layout-ops: blocks.1.0.ghost1: TRANSPOSE moves data" in text
    assert "warning xnnpack: blocks.0.0.ghost1.up (+2 more): RESIZE_NEAREST_NEIGHBOR of …" in text
    assert "4 XNNPACK partitions, 3 nodes outside → 1 XNNPACK partition, 0 nodes outside" in text
    rows = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    assert rows["weights (MB)"][2:] == ["24.30", "12.15", "−12.150", "(−50.0", "%)"]
    assert rows["XNNPACK partitions"][2:] == ["4", "1", "−3"]
    assert rows["MACs (M)"][2:] == ["167.0", "–", "–"]
    assert all(
        display_width(x) <= 80 for x in render(compose(diff(model, bilinear())), 80).split("\n")
    )


def test_markdown(model: Linted) -> None:
    text = render_markdown(diff(model, bilinear()))
    assert "| XNNPACK partitions | 4 | 1 | −3 |" in text
    assert "- blocks.1.0.ghost1: + TRANSPOSE" in text
    assert "RESIZE\\_NEAREST\\_NEIGHBOR" in text


def test_no_difference(model: Linted) -> None:
    found = diff(model, replace(model, path="models/same.tflite"))
    assert found.same
    assert "do not differ" in render_text(found)
    assert "do not differ" in render_markdown(found)


def test_one_finding_more_of_the_same_kind_is_new(model: Linted) -> None:
    fewer = replace(model, report=replace(model.report, findings=model.report.findings[1:]))
    found = diff(fewer, model)
    assert [f.node for f in found.findings_new] == [model.report.findings[0].node]
    assert found.findings_gone == ()


def test_file_sizes(model: Linted, tmp_path: Path) -> None:
    for name, size in (("a", 3_000_000), ("b", 1_000_000)):
        (tmp_path / name).write_bytes(b"\0" * size)
    found = diff(replace(model, path=str(tmp_path / "a")), replace(model, path=str(tmp_path / "b")))
    assert (found.sizes_old.file_bytes, found.sizes_new.file_bytes) == (3_000_000, 1_000_000)
    assert "−2.000 (−66.7 %)" in render_text(found)


def test_two_formats_are_compared_by_neutral_names(model: Linted) -> None:
    nodes = tuple(replace(n, native=n.native.title()) for n in model.graph.nodes)
    onnx = replace(model, graph=replace(model.graph, nodes=nodes, format="onnx"))
    found = diff(model, onnx)
    assert found.neutral_ops
    assert found.ops == found.modules == ()


def test_it_is_data(model: Linted) -> None:
    data = json.loads(json.dumps(asdict(diff(model, bilinear())), allow_nan=False))
    assert data["sizes_old"]["weights_mb"] == 24.3
    assert data["ops"][0] == {"op": "RESIZE_BILINEAR", "old": 0, "new": 3}


def test_hostile_names(model: Linted, hostile: Linted) -> None:
    for one, other in ((model, hostile), (hostile, model)):
        found = diff(one, other)
        text = render_text(found)
        assert all(display_width(x) <= 80 for x in render(compose(found), 80).split("\n"))
        assert "\x1b" not in text + render_markdown(found)
        assert "<script>" not in render_markdown(found)
        json.dumps(make_plain(asdict(found)), allow_nan=False)


def test_a_finding_that_is_now_allowed_is_told() -> None:
    graph = network()
    before = resize_findings(graph)
    after = tuple(replace(f, allowed="measured: faster so") for f in before)
    old = Linted("a.tflite", graph, report_of(graph, *before))
    new = Linted("b.tflite", graph, report_of(graph, *after))
    assert "(allowed: measured: faster so)" in " ".join(render_text(diff(old, new)).split())
