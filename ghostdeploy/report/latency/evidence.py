"""What stands behind each number, to check it or to measure it again."""

from __future__ import annotations

import shlex

from ghostdeploy.report.parts.grid import Facts, Grid, format_count
from ghostdeploy.report.parts.numbers import ABSENT, WrittenNumber, format_scientific
from ghostdeploy.schema import Artifact, Comparison, OutputCheck, Parity


def evidence_facts(comparison: Comparison) -> Facts:
    """Return what stands behind the number, to check it or to measure it again."""
    record = comparison.record
    artifact, proof = record.artifact, record.evidence
    facts = (
        ("Model", artifact.name),
        ("File", artifact.path),
        ("Format, precision", f"{artifact.format}, {artifact.precision}"),
        ("Weights", _weights(artifact)),
        ("SHA-256 of the model", proof.model_sha256 or artifact.sha256),
        ("SHA-256 of the runtime", proof.runtime_sha256),
        ("Rewrites", ", ".join(artifact.rewrites)),
        ("Output on the device", _output(proof.output)),
        ("Session", proof.session),
        ("Order of the models", " → ".join(proof.order)),
        ("Started", proof.started_at),
        ("Tool versions", ", ".join(f"{k} {v}" for k, v in sorted(artifact.tool_versions.items()))),
        ("Paper's row", comparison.paper_source),
    )
    return tuple((label, text) for label, text in facts if text)


def launch_command(comparison: Comparison) -> str:
    """Return the first launch's command line, quoted for a shell; "" if there was none."""
    for launch in comparison.record.launches:
        if launch.argv:
            return shlex.join(launch.argv)
    return ""


def parity_table(comparison: Comparison) -> Grid:
    """Return how far the file is from its torch original."""
    header = (
        "Compared",
        "Runtime",
        "Inputs",
        "Max abs",
        "Relative L2",
        "Tolerance (rel. L2)",
        "Same top-1",
        "Result",
    )
    rows = tuple(map(_parity_row, comparison.record.artifact.parity))
    return Grid(header, rows, frozenset({2, 3, 4, 5, 6}))


def count_operators(comparison: Comparison) -> tuple[tuple[str, int], ...]:
    """Return the graph's operators and how many of each, the most frequent first."""
    counts = comparison.record.artifact.op_counts
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _parity_row(result: Parity) -> tuple[str, ...]:
    agreement = result.top1_agreement
    return (
        result.subject,
        result.runtime,
        format_count(result.inputs),
        format_scientific(result.max_abs),
        format_scientific(result.rel_l2),
        format_scientific(result.tolerance_rel_l2),
        ABSENT if agreement is None else WrittenNumber(f"{100 * agreement:.1f} %", agreement),
        "passed" if result.passed else "FAILED",
    )


def _output(check: OutputCheck | None) -> str:
    if check is None:
        return ""
    if check.rel_l2 is None:
        return f"not compared: {check.why_not}"
    return (
        f"as {check.reference} here: relative L2 {format_scientific(check.rel_l2)}"
        f" (allowed {format_scientific(check.tolerance_rel_l2 or 0.0)})"
    )


def _weights(artifact: Artifact) -> str:
    if artifact.weights.startswith("seed:"):
        return f"{artifact.weights} (random, untrained: the latency is real, accuracy is not)"
    return artifact.weights
