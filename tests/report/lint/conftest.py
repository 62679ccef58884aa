"""Reports to render: clean, with findings, hostile, large."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.linting.graph import Node, Value
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.schema import Finding, GraphReport, Partitions
from tests.report.lint.graphs import (
    HOSTILE,
    Builder,
    network,
    random_graph,
    report_of,
    resize_findings,
)


@pytest.fixture
def clean_model() -> Linted:
    graph = network()
    return Linted("models/clean.tflite", graph, report_of(graph))


@pytest.fixture
def model() -> Linted:
    """Three warnings of one kind, an error, an info, and one that is allowed."""
    graph = network()
    others = (
        Finding("dfc-contract", "error", "blocks.1.0.ghost1", "no DFC branch was found here"),
        Finding("batch", "info", "image", "the batch is 1"),
        Finding("layout-ops", "warning", "mean_37", "it moves", "", allowed="the task needs it"),
    )
    report = report_of(graph, *resize_findings(graph), *others)
    return Linted("models/ghost.tflite", graph, report)


@pytest.fixture
def hostile() -> Linted:
    """Everything that a file may name is markup, control characters, or 10 kB long."""
    b = Builder()
    x = b.add("conv2d", HOSTILE, "image")
    x = b.add("conv2d", "m" * 10_000, x)
    b.nodes.append(
        Node(HOSTILE, HOSTILE, HOSTILE, (x,), ("out",), HOSTILE, None, {HOSTILE: HOSTILE})
    )
    b.values["out"] = Value("out", (-1, 0), HOSTILE, constant=False)
    graph = b.graph("out")
    found = Finding(*[HOSTILE] * 2, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    report = GraphReport(
        op_counts=graph.op_counts(),
        findings=(
            found,
            replace(found, allowed=HOSTILE),
            Finding("xnnpack", "error", "m" * 10_000, "x" * 10_000),
        ),
        partitions=Partitions(HOSTILE, 1, ((HOSTILE, HOSTILE),)),
        dfc_branches={HOSTILE: HOSTILE},
    )
    return Linted(f"/somewhere/else/{HOSTILE}.tflite", graph, report)


@pytest.fixture(scope="session")
def big() -> Linted:
    graph = random_graph(2000, modules=False)
    findings = tuple(
        Finding("layout-ops", "warning", n.name, f"{n.name} moves data")
        for n in graph.nodes
        if n.op == "reshape"
    )
    return Linted("big.tflite", graph, report_of(graph, *findings))


@pytest.fixture
def wordy() -> Linted:
    """Operators, modules and shapes as long as files have them, many inputs, many partitions."""
    b = Builder()
    joined = [
        b.add(
            "Custom_FlexExtractImagePatchesV2", f"features.{n}.a_module_with_a_long_name", "image"
        )
        for n in range(9)
    ]
    x = b.add("concat", "features.10.join", *joined)
    for n in range(12):
        op = "resize" if n % 3 else "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
        x = b.add(op, f"features.{11 + n}.{'deeper.' * 6}up", x, joined[n % 9], kernel=(15, 15))
    shape = (1, 1024, 1024, 65536)
    b.values = {name: replace(value, shape=shape) for name, value in b.values.items()}
    graph = b.graph(x)
    return Linted(f"{'a_long_folder/' * 9}{'m' * 120}.tflite", graph, report_of(graph))
