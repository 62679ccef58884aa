"""What every format says of a file beside its findings."""

from __future__ import annotations

from ghostdeploy.lint.graph import Graph
from ghostdeploy.report.lint.groups import pluralize
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.numbers import format_number
from ghostdeploy.schema import GraphReport, Partitions


def describe_partitions(partitions: Partitions | None) -> str:
    """Return a text like ``1 XNNPACK partition, 0 nodes outside``."""
    if partitions is None:
        return "partitions not measured"
    outside = pluralize(len(partitions.outside), "node")
    return f"{pluralize(partitions.kernels, 'XNNPACK partition')}, {outside} outside"


def describe_graph(linted: Linted) -> tuple[str, ...]:
    """Return the facts of a head line, those that are known."""
    report = linted.report
    return (
        pluralize(sum(report.op_counts.values()), "operator"),
        describe_partitions(report.partitions),
        pluralize(len(report.dfc_branches), "DFC branch", "DFC branches"),
        *_describe_sizes(report),
    )


def _describe_sizes(report: GraphReport) -> tuple[str, ...]:
    known = []
    if report.weights_mb is not None:
        known.append(f"weights {format_number(report.weights_mb)} MB")
    if report.activations_mb is not None:
        known.append(f"activations {format_number(report.activations_mb)} MB")
    if report.macs is not None:
        known.append(f"{format_number(report.macs / 1e6)} M MACs")
    return tuple(known)


def group_branches(report: GraphReport) -> dict[str, tuple[str, ...]]:
    """Return what DFC branches lowered to, with the modules of the branches."""
    found: dict[str, list[str]] = {}
    for module, text in report.dfc_branches.items():
        found.setdefault(text, []).append(module)
    return {text: tuple(modules) for text, modules in found.items()}


def format_shape(graph: Graph, value: str) -> str:
    """Return a shape like ``56×56×24``; a batch of 1 goes without saying."""
    known = graph.values.get(value)
    if known is None or known.shape is None:
        return "?"
    sides = known.shape[1:] if len(known.shape) > 1 and known.shape[0] == 1 else known.shape
    return "×".join(str(side) if side >= 0 else "?" for side in sides) or "scalar"
