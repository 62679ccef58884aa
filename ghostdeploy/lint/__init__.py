"""What in a lowered graph will a phone dislike, and which module of the network put it there.

A rule is one file with ``check(graph, spec)`` and one row of the table here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.lint.graph import Graph
from ghostdeploy.types import Finding, GraphReport, ModelSpec

RULES: dict[str, str] = {
    "dfc-contract": "ghostdeploy.lint.rules.dfc_contract",
    "layout-ops": "ghostdeploy.lint.rules.layout_ops",
    "grouped-conv": "ghostdeploy.lint.rules.grouped_conv",
}

READERS: dict[str, tuple[str, str]] = {
    ".onnx": ("ghostdeploy.lint.read_onnx", "read_onnx"),
    ".tflite": ("ghostdeploy.lint.read_tflite", "read_tflite"),
}


def read_graph(path: Path) -> Graph:
    """The neutral graph of a model file. Raises InputFileError for what is not one."""
    if path.is_dir():
        raise InputFileError(f"{path} is a folder; a .onnx or .tflite file is wanted")
    if not path.exists():
        raise InputFileError(f"{path} does not exist")
    if path.suffix not in READERS:
        raise InputFileError(f"{path}: a model file ends in {' or '.join(READERS)}")
    module, function = READERS[path.suffix]
    graph: Graph = getattr(import_module(module), function)(path)
    return graph


def lint_graph(graph: Graph, spec: ModelSpec | None = None) -> GraphReport:
    """Every rule's findings on ``graph``; ``spec`` tells what the model's definition needs."""
    findings: list[Finding] = []
    for module in RULES.values():
        findings.extend(import_module(module).check(graph, spec))
    from ghostdeploy.lint.rules.dfc_contract import branches

    return GraphReport(
        op_counts=graph.op_counts(),
        findings=tuple(findings),
        dfc_branches=len(branches(graph)),
    )
