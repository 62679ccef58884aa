"""What ``--json`` prints of compared models."""

from __future__ import annotations

import json
from dataclasses import replace

from ghostdeploy.report.json_summary import summarize_latencies
from ghostdeploy.report.latency.report import Report


def test_a_models_summary_holds_its_numbers_and_where_they_are_from(table_1: Report) -> None:
    base, attention, _ = json.loads(json.dumps(summarize_latencies(table_1.comparisons)))
    assert base["ratio"] is None
    assert attention["ratio"]["value"] == 1.602
    assert attention["file"] == "models/ghostnetv1_sa_1.0_224.tflite"
    assert attention["valid_launches"] == 10
    assert attention["paper"] == {"latency_ms": 72.3, "ratio": 72.3 / 31.1, "source": "Table 1"}
    assert attention["evidence"]["order"] == ["A", "B", "B", "A"]
    assert attention["device"]["cores"] == 8


def test_launches_that_do_not_count_are_not_counted(table_1: Report) -> None:
    last = table_1.comparisons[-1]
    assert summarize_latencies([last])[0]["valid_launches"] == 8
    empty = replace(last, record=replace(last.record, launches=()))
    assert summarize_latencies([empty])[0]["valid_launches"] == 0
