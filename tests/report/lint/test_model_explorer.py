"""The node data that Model Explorer reads."""

from __future__ import annotations

import json
from dataclasses import replace

from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.model_explorer import render


def test_every_node_has_its_findings_or_its_partition(model: Linted) -> None:
    data = json.loads(render(model))
    assert list(data) == ["main"]
    assert set(data["main"]) == {"results", "thresholds", "gradient"}
    results = data["main"]["results"]
    nodes = model.graph.nodes
    assert set(results) == {str(i) for i in range(len(nodes))}
    values = {node.name: results[str(i)]["value"] for i, node in enumerate(nodes)}
    assert values["blocks.0.0.ghost1.up/resize"] == "warning: xnnpack"
    assert values["conv_stem/conv2d"] == "partition 1"
    assert [name for name, value in values.items() if value.startswith("error")] == [
        "blocks.1.0.ghost1/concat"
    ]


def test_nodes_outside_are_told_where_nothing_else_is(model: Linted) -> None:
    silent = replace(model, report=replace(model.report, findings=()))
    told = [x["value"] for x in json.loads(render(silent))["main"]["results"].values()]
    assert told.count("outside XNNPACK") == 3
    assert {"partition 1", "partition 4"} <= set(told)


def test_an_onnx_node_goes_by_its_output(model: Linted, hostile: Linted) -> None:
    onnx = replace(model, graph=replace(model.graph, format="onnx"))
    assert "conv_stem/conv2d" in json.loads(render(onnx))["main"]["results"]
    for format_name in ("onnx", "tflite"):
        bad = replace(hostile, graph=replace(hostile.graph, format=format_name))
        assert json.loads(render(bad))["main"]["results"]


def test_without_partitions_only_findings_are_told(model: Linted) -> None:
    report = replace(model.report, partitions=None)
    results = json.loads(render(replace(model, report=report)))["main"]["results"]
    assert len(results) == 4
