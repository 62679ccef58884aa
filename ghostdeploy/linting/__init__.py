"""What in a lowered graph a phone will dislike, and which module of the network put it there.

A rule is one file with ``CODE``, ``SEVERITY`` (its default) and ``check(graph, expected)``, and
one row of the table below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.files import check_input
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.memory import MB, count_weight_bytes, find_peak
from ghostdeploy.linting.readers.onnx_graph import read_onnx
from ghostdeploy.linting.readers.tflite_graph import read_tflite
from ghostdeploy.linting.rule import Expectations, Rule
from ghostdeploy.linting.rules import (
    antialias,
    average_pool_edges,
    batch,
    batch_norm,
    compiled,
    composites,
    concat_scales,
    custom_ops,
    dfc_contract,
    duplicate_weights,
    dynamic_shapes,
    float_islands,
    foldable_pad,
    fp16_weights,
    gpu_ops,
    grouped_conv,
    hard_activations,
    int8_average_pool,
    layout_ops,
    memory_budget,
    nearest_resize,
    nnapi_ops,
    operator_versions,
    requantize,
    unfused_activation,
    unused_tensors,
    xnnpack_ops,
)
from ghostdeploy.linting.source_files import source_file_of
from ghostdeploy.schema import Finding, GraphReport, ModelSpec, Partitions

RULES: dict[str, Rule] = {
    "compiled": compiled,
    "dfc-contract": dfc_contract,
    "layout-ops": layout_ops,
    "custom-ops": custom_ops,
    "composites": composites,
    "grouped-conv": grouped_conv,
    "xnnpack": xnnpack_ops,
    "dynamic-shapes": dynamic_shapes,
    "batch": batch,
    "nearest-resize": nearest_resize,
    "antialias": antialias,
    "average-pool-edges": average_pool_edges,
    "hard-activations": hard_activations,
    "unfused-activation": unfused_activation,
    "batch-norm": batch_norm,
    "float-islands": float_islands,
    "requantize": requantize,
    "concat-scales": concat_scales,
    "int8-average-pool": int8_average_pool,
    "fp16-weights": fp16_weights,
    "foldable-pad": foldable_pad,
    "duplicate-weights": duplicate_weights,
    "unused-tensors": unused_tensors,
    "operator-versions": operator_versions,
    "gpu-delegate": gpu_ops,
    "nnapi": nnapi_ops,
    "memory-budget": memory_budget,
}

READERS: dict[str, Callable[[Path], Graph]] = {".onnx": read_onnx, ".tflite": read_tflite}


def read_graph(path: Path) -> Graph:
    """Return the neutral graph of a model file. Raises InputFileError for what is not one."""
    try:
        if path.is_dir():
            raise InputFileError(f"{path} is a folder; a .onnx or .tflite file is wanted")
        if not path.exists():
            raise InputFileError(f"{path} does not exist")
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InputFileError(f"{path}: {error.strerror}") from error
    if path.suffix not in READERS:
        raise InputFileError(f"{path}: a model file ends in {' or '.join(READERS)}")
    check_input(path)
    return READERS[path.suffix](path)


def lint_graph(
    graph: Graph,
    spec: ModelSpec | None = None,
    *,
    budget_mb: float | None = None,
    partitions: Partitions | None = None,
) -> GraphReport:
    """Report every rule's findings on ``graph``, with its sizes in MB (10⁶ bytes).

    ``spec`` tells what the model's definition needs, ``budget_mb`` what weights and activations
    may take, ``partitions`` what the runtime said where it was asked. Raises UsageError for a
    budget that is negative.
    """
    findings = [*_findings(graph, Expectations(spec, budget_mb, partitions))]
    for subgraph in graph.subgraphs:  # no network of ours has any
        findings.extend(_findings(subgraph, Expectations()))
    branches = dfc_contract.find_branches(graph)
    lines = {node.name: node.line for node in graph.nodes if node.line}

    def source(finding: Finding) -> str:
        return lines.get(finding.node) or source_file_of(finding.module, spec)

    return GraphReport(
        op_counts=graph.op_counts(),
        findings=tuple(replace(f, source=source(f)) for f in findings),
        partitions=partitions,
        dfc_branches=_name_branches(branches),
        weights_mb=count_weight_bytes(graph) / MB,
        activations_mb=find_peak(graph).nbytes / MB,
    )


def _name_branches(branches: Sequence[dfc_contract.Branch]) -> dict[str, str]:
    """Return what each branch lowered to, by its module; by its product where modules recur."""
    modules = Counter(branch.module for branch in branches)
    return {
        b.module if b.module and modules[b.module] == 1 else b.gate_mul.name: b.text
        for b in branches
    }


def _findings(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    rules = [RULES[compiled.CODE]] if compiled.is_compiled(graph) else RULES.values()
    for rule in rules:
        yield from rule.check(graph, expected)
