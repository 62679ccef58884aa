"""What every format says of a file beside its findings."""

from __future__ import annotations

from ghostdeploy.report.lint import Linted
from ghostdeploy.report.lint.groups import counted
from ghostdeploy.report.parts.numbers import format_number
from ghostdeploy.schema import GraphReport, Partitions


def partitions_text(partitions: Partitions | None) -> str:
    """``1 XNNPACK partition, 0 nodes outside``."""
    if partitions is None:
        return "partitions not measured"
    outside = counted(len(partitions.outside), "node")
    return f"{counted(partitions.kernels, 'XNNPACK partition')}, {outside} outside"


def headline(linted: Linted) -> tuple[str, ...]:
    """The facts of a head line, those that are known."""
    report = linted.report
    return (
        counted(sum(report.op_counts.values()), "operator"),
        partitions_text(report.partitions),
        counted(len(report.dfc_branches), "DFC branch", "DFC branches"),
        *sizes(report),
    )


def sizes(report: GraphReport) -> tuple[str, ...]:
    known = []
    if report.weights_mb is not None:
        known.append(f"weights {format_number(report.weights_mb)} MB")
    if report.activations_mb is not None:
        known.append(f"activations {format_number(report.activations_mb)} MB")
    if report.macs is not None:
        known.append(f"{format_number(report.macs / 1e6)} M MACs")
    return tuple(known)


def lowerings(report: GraphReport) -> dict[str, tuple[str, ...]]:
    """What DFC branches lowered to, with the modules of the branches."""
    found: dict[str, list[str]] = {}
    for module, text in report.dfc_branches.items():
        found.setdefault(text, []).append(module)
    return {text: tuple(modules) for text, modules in found.items()}
