"""The trace: the documented fields of its format, and every operator once."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from ghostdeploy.errors import MeasurementError
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.trace import render_trace

# "Trace Event Format": what a complete event and a metadata event must have.
COMPLETE = {"name": str, "cat": str, "ph": str, "ts": float, "dur": float, "pid": int, "tid": int}
METADATA = {"name": str, "ph": str, "pid": int, "args": dict}


def test_events_have_the_documented_fields(crowded: Report) -> None:
    document = json.loads(render_trace(crowded.comparisons))
    assert document["displayTimeUnit"] in ("ms", "ns")
    events = document["traceEvents"]
    assert {event["ph"] for event in events} == {"X", "M"}
    for event in events:
        fields = COMPLETE if event["ph"] == "X" else METADATA
        assert {name: type(event[name]) for name in fields} == fields
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name")
            assert list(event["args"]) == ["name"]


def test_operators_follow_each_other_and_add_up(crowded: Report) -> None:
    events = json.loads(render_trace(crowded.comparisons))["traceEvents"]
    for process, row in enumerate(crowded.comparisons, 1):
        assert row.record.profiled is not None
        profile = row.record.profiled.profile
        mine = [event for event in events if event["pid"] == process and event["ph"] == "X"]
        assert [event["name"] for event in mine] == [op.op for op in profile]
        assert sum(event["dur"] for event in mine) == pytest.approx(
            1000 * sum(op.ms for op in profile)
        )
        for event, later in pairwise(mine):
            assert later["ts"] == pytest.approx(event["ts"] + event["dur"])


def test_without_a_profile_there_is_no_trace(crowded: Report, table_1: Report) -> None:
    with pytest.raises(MeasurementError, match="no operator was timed: there is no trace"):
        render_trace(table_1.comparisons)
    row = crowded.comparisons[0]
    assert row.record.profiled is not None
    failed = replace(row.record.profiled, profile=(), why_not="killed by SIGSEGV")
    row = replace(row, record=replace(row.record, profiled=failed))
    with pytest.raises(MeasurementError, match=r"timed \(killed by SIGSEGV\)"):
        render_trace([row])
