"""What ``--json`` prints of each compared model, measured in time or in instructions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from ghostdeploy.report.instructions.tables import describe_kernels
from ghostdeploy.schema import Comparison, InstructionComparison


def summarize_latencies(rows: Iterable[Comparison]) -> list[dict[str, object]]:
    """Return an object a model: latency and ratio with their limits, and what they stand on."""
    return [
        {
            "title": row.title,
            "file": row.record.artifact.path,
            "latency_ms": asdict(row.latency_ms),
            "ratio": asdict(row.ratio) if row.ratio else None,
            "noise": row.noise,
            "advice": row.advice,
            "disturbed": row.disturbed,
            "valid_launches": len(row.record.valid_launches),
            **_origin(row),
        }
        for row in rows
    ]


def summarize_instructions(rows: Iterable[InstructionComparison]) -> list[dict[str, object]]:
    """Return an object a model: its instructions by class and operator, and their ratio."""
    return [
        {
            "title": row.title,
            "file": row.record.artifact.path,
            "kernels": describe_kernels(row),
            "instructions": asdict(row.instructions) | {"total": row.instructions.total},
            "ratio": row.ratio,
            **_origin(row),
        }
        for row in rows
    ]


def _origin(row: Comparison | InstructionComparison) -> dict[str, object]:
    """Return what the paper says of the model, and what was measured with what."""
    return {
        "paper": {
            "latency_ms": row.paper_latency_ms,
            "ratio": row.paper_ratio,
            "source": row.paper_source,
        },
        "evidence": asdict(row.record.evidence),
        "device": asdict(row.record.device),
    }
