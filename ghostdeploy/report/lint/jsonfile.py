"""JSON for machines: each file's report in full."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from ghostdeploy.report.lint.linted import Linted

SCHEMA = "ghostdeploy.lint/1"
MAX_TEXT = 4000  # characters of any one string


def render(linted: Sequence[Linted]) -> str:
    """Return one JSON document of all files."""
    document = {"schema": SCHEMA, "files": [_file(one) for one in linted]}
    return json.dumps(make_plain(document), allow_nan=False, indent=1) + "\n"


def _file(linted: Linted) -> dict[str, object]:
    found = linted.report.findings
    counts = {
        severity: sum(f.severity == severity and not f.allowed for f in found)
        for severity in ("error", "warning", "info")
    }
    head: dict[str, object] = {
        "path": linted.path,
        "format": linted.graph.format,
        "operators": len(linted.graph.nodes),
        "counts": {**counts, "allowed": sum(bool(f.allowed) for f in found)},
    }
    return head | asdict(linted.report)


def make_plain(value: object) -> object:
    """Return ``value`` as JSON can hold it: no NaN, no lone surrogates, no endless strings."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_text(key): make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return _text(value)


def _text(value: object) -> str:
    return str(value)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
