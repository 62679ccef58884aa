"""JSON for machines: the comparison in full, the records without raw output and samples."""

from __future__ import annotations

import json
from dataclasses import fields

from ghostdeploy.paper_data import PAPER_DEVICE
from ghostdeploy.report.latency.profile import sum_by_kind
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.summary import (
    SummaryRow,
    invalid_reason,
    list_cautions,
    summarize,
)
from ghostdeploy.report.parts.jsonvalues import to_json_value
from ghostdeploy.schema import Comparison, Launch

SCHEMA = "ghostdeploy.report/1"
_RAW = frozenset({"stdout", "stderr", "samples_ms"})  # they stay in the record


def render(report: Report, stem: str) -> dict[str, str]:
    """Return ``stem.json``; measured and paper's numbers live in separate objects."""
    rows = summarize(report.comparisons)
    document = {
        "schema": SCHEMA,
        "title": report.title,
        "notes": report.notes,
        "cautions": list_cautions(report.comparisons),
        "comparisons": [_comparison(*pair) for pair in zip(report.comparisons, rows, strict=True)],
    }
    text = json.dumps(to_json_value(document), ensure_ascii=False, allow_nan=False, indent=1)
    return {f"{stem}.json": text + "\n"}


def _comparison(comparison: Comparison, row: SummaryRow) -> dict[str, object]:
    record = comparison.record
    return {
        "title": comparison.title,
        "model": record.artifact.name,
        "is_base": row.is_base,
        "measured": {
            "latency_ms": row.latency_ms,
            "ratio": row.ratio,
            "noise": row.noise,
            "why_not": row.why_not,
            "valid_launches": row.valid,
            "launches": row.total,
            "invalid_reasons": dict(row.reasons),
            "advice": row.advice,
        },
        "paper": {
            "device": PAPER_DEVICE,
            "latency_ms": row.paper_latency_ms,
            "ratio": row.paper_ratio,
            "top1": row.paper_top1,
            "source": row.paper_source,
        },
        "artifact": record.artifact,
        "device": record.device,
        "params": record.params,
        "evidence": record.evidence,
        "operators_ms": sum_by_kind(record.profiled.profile) if record.profiled else {},
        "launches": [_launch(launch) for launch in record.launches],
    }


def _launch(launch: Launch) -> dict[str, object]:
    values = {f.name: getattr(launch, f.name) for f in fields(launch) if f.name not in _RAW}
    value_ms = launch.summary.value_ms if launch.summary else None
    return values | {
        "value_ms": value_ms,
        "counts": not invalid_reason(launch),
        "samples": len(launch.samples_ms),
    }
