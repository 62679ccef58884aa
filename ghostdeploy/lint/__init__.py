"""What in a lowered graph will a phone dislike, and which module of the network put it there.

A rule is one file with ``CODE``, ``SEVERITY`` (its default) and ``check(graph, spec)``, and one
row of the table here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.memory import MB, peak_activations, weight_bytes
from ghostdeploy.lint.options import LintOptions
from ghostdeploy.lint.source_files import source_of
from ghostdeploy.schema import Finding, GraphReport, ModelSpec

RULES: dict[str, str] = {
    "dfc-contract": "ghostdeploy.lint.rules.dfc_contract",
    "layout-ops": "ghostdeploy.lint.rules.layout_ops",
    "custom-ops": "ghostdeploy.lint.rules.custom_ops",
    "grouped-conv": "ghostdeploy.lint.rules.grouped_conv",
    "xnnpack": "ghostdeploy.lint.rules.xnnpack_ops",
    "dynamic-shapes": "ghostdeploy.lint.rules.dynamic_shapes",
    "batch": "ghostdeploy.lint.rules.batch",
    "nearest-resize": "ghostdeploy.lint.rules.nearest_resize",
    "hard-activations": "ghostdeploy.lint.rules.hard_activations",
    "unfused-activation": "ghostdeploy.lint.rules.unfused_activation",
    "batch-norm": "ghostdeploy.lint.rules.batch_norm",
    "float-islands": "ghostdeploy.lint.rules.float_islands",
    "requantize": "ghostdeploy.lint.rules.requantize",
    "concat-scales": "ghostdeploy.lint.rules.concat_scales",
    "int8-average-pool": "ghostdeploy.lint.rules.int8_average_pool",
    "fp16-weights": "ghostdeploy.lint.rules.fp16_weights",
    "foldable-pad": "ghostdeploy.lint.rules.foldable_pad",
    "duplicate-weights": "ghostdeploy.lint.rules.duplicate_weights",
    "unused-tensors": "ghostdeploy.lint.rules.unused_tensors",
    "gpu-delegate": "ghostdeploy.lint.rules.gpu_ops",
    "nnapi": "ghostdeploy.lint.rules.nnapi_ops",
    "memory-budget": "ghostdeploy.lint.rules.memory_budget",
}
# Their ``check`` takes the options as a third argument.
WITH_OPTIONS = frozenset({"memory-budget"})
DEFAULTS = LintOptions()

READERS: dict[str, tuple[str, str]] = {
    ".onnx": ("ghostdeploy.lint.readers.onnx_graph", "read_onnx"),
    ".tflite": ("ghostdeploy.lint.readers.tflite_graph", "read_tflite"),
}


def read_graph(path: Path) -> Graph:
    """The neutral graph of a model file. Raises InputFileError for what is not one."""
    try:
        if path.is_dir():
            raise InputFileError(f"{path} is a folder; a .onnx or .tflite file is wanted")
        if not path.exists():
            raise InputFileError(f"{path} does not exist")
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InputFileError(f"{path}: {error.strerror}") from error
    if path.suffix not in READERS:
        raise InputFileError(f"{path}: a model file ends in {' or '.join(READERS)}")
    module, function = READERS[path.suffix]
    graph: Graph = getattr(import_module(module), function)(path)
    return graph


def lint_graph(
    graph: Graph, spec: ModelSpec | None = None, options: LintOptions = DEFAULTS
) -> GraphReport:
    """Every rule's findings on ``graph``; ``spec`` tells what the model's definition needs."""
    findings = [*_findings(graph, spec, options)]
    for subgraph in graph.subgraphs:  # no network of ours has any
        findings.extend(_findings(subgraph, None, DEFAULTS))
    from ghostdeploy.lint.rules.dfc_contract import branches

    return GraphReport(
        op_counts=graph.op_counts(),
        findings=tuple(replace(f, source=source_of(f.module, spec)) for f in findings),
        dfc_branches={b.module or b.gate_mul.name: b.text for b in branches(graph)},
        weights_mb=weight_bytes(graph) / MB,
        activations_mb=peak_activations(graph).nbytes / MB,
    )


def _findings(graph: Graph, spec: ModelSpec | None, options: LintOptions) -> Iterator[Finding]:
    for code, module in RULES.items():
        check = import_module(module).check
        yield from check(graph, spec, options) if code in WITH_OPTIONS else check(graph, spec)


def default_severity(code: str) -> str:
    """What the rule's main findings are, unless configured otherwise."""
    severity: str = import_module(RULES[code]).SEVERITY
    return severity
