"""What the lint found, as the node data that Model Explorer lays over its own graph.

The format: ``node_data_builder.py`` of https://github.com/google-ai-edge/model-explorer, 0.1.34.
"""

from __future__ import annotations

import json

from ghostdeploy.linting.delegates.stages import find_stages
from ghostdeploy.linting.graph import Graph
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.lint.picture.marks import Marks, mark_nodes
from ghostdeploy.report.parts.clean_text import clean

MAIN = "main"  # what Model Explorer calls a file's first graph
VALUE = 160  # characters
OUTSIDE = "outside XNNPACK"
# The colour of a node by what is said of it first: words of its value.
COLORS = (
    ("error", "#f4b6b1"),
    ("warning", "#ffdfa8"),
    ("info", "#c5dcf2"),
    (OUTSIDE, "#fff1dc"),
    ("partition", "#e3edd8"),
)


def render(linted: Linted) -> str:
    """Return the findings and the partition of each node of the main graph, as JSON.

    A node's key is its number in a TFLite file and its first output's name in an ONNX file.
    """
    graph = linted.graph
    marks = mark_nodes(graph, linted.report.findings)
    partitions = _partitions(linted)
    told = {i: _value(marks, i, partitions.get(i)) for i in range(len(graph.nodes))}
    results = {
        _key(graph, i): {"value": value, "bgColor": _color(value)}
        for i, value in told.items()
        if value
    }
    data = {MAIN: {"results": results, "thresholds": [], "gradient": []}}
    return json.dumps(data, indent=1) + "\n"


def _partitions(linted: Linted) -> dict[int, int]:
    """Return the partition of each node, 0 outside; nothing where nothing was measured."""
    stages = find_stages(linted.graph, linted.report.partitions)
    return {i: stage.partition for stage in stages for i in stage.nodes}


def _key(graph: Graph, i: int) -> str:
    outputs = graph.nodes[i].outputs
    name = outputs[0] if graph.format == "onnx" and outputs else str(i)
    return name.encode("utf-8", "replace").decode("utf-8")


def _value(marks: Marks, i: int, partition: int | None) -> str:
    found = [f for f in marks.of_node.get(i, ()) if not f.allowed]
    if found:
        rules = ", ".join(dict.fromkeys(f.rule for f in found))
        return clean(f"{marks.severity(i)}: {rules}", VALUE)
    if partition is None:
        return ""
    return f"partition {partition}" if partition else OUTSIDE


def _color(value: str) -> str:
    return next((color for word, color in COLORS if value.startswith(word)), COLORS[2][1])
