"""JSON for machines: the comparison in full, the records without raw output and samples."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from ghostdeploy.paper_data import PAPER_DEVICE
from ghostdeploy.report.latency.profile import by_kind
from ghostdeploy.report.latency.summary import Row, cautions, invalid_reason, summarise
from ghostdeploy.schema import Comparison, Launch

if TYPE_CHECKING:
    from ghostdeploy.report import Report

SCHEMA = "ghostdeploy.report/1"
MAX_TEXT = 4000  # characters of any one string
_RAW = frozenset({"stdout", "stderr", "samples_ms"})  # they stay in the record


def render(report: Report, stem: str) -> dict[str, str]:
    """``stem.json``; measured and paper's numbers live in separate objects."""
    rows = summarise(report.comparisons)
    document = {
        "schema": SCHEMA,
        "title": report.title,
        "notes": report.notes,
        "cautions": cautions(report.comparisons),
        "comparisons": [_comparison(*pair) for pair in zip(report.comparisons, rows, strict=True)],
    }
    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1)
    return {f"{stem}.json": text + "\n"}


def _comparison(comparison: Comparison, row: Row) -> dict[str, object]:
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
        "operators_ms": by_kind(record.profiled.profile) if record.profiled else {},
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


def _plain(value: Any) -> Any:
    """What JSON can hold: no NaN, no lone surrogates, no endless strings."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return _text(value)


def _text(value: object) -> str:
    text = str(value)[:MAX_TEXT]
    return text.encode("utf-8", "replace").decode("utf-8")
