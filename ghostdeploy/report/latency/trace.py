"""Operator profiles as a trace that Chrome (about:tracing) and Perfetto (ui.perfetto.dev) open.

The format: "Trace Event Format", Google,
https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ghostdeploy.errors import MeasurementError
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.schema import Comparison

NAME = 200  # characters
US_PER_MS = 1000.0
THREAD = "operators of one inference, each at its mean time"

Event = dict[str, object]


def render_trace(comparisons: Sequence[Comparison]) -> str:
    """Return the trace as JSON: a process for each profiled model, an event for each operator.

    A profile has mean times, not moments: the operators stand one after the other, in the order
    of running. Raises MeasurementError where no operator was timed.
    """
    events = [event for number, row in enumerate(comparisons, 1) for event in _events(row, number)]
    if not events:
        raise MeasurementError(f"no operator was timed{_reason(comparisons)}: there is no trace")
    document = {"traceEvents": events, "displayTimeUnit": "ms"}
    return json.dumps(document, allow_nan=False) + "\n"


def _events(row: Comparison, process: int) -> Iterator[Event]:
    profile = row.record.profiled.profile if row.record.profiled else ()
    if not profile:
        return
    device = row.record.device.serial or row.record.device.scheme
    title = clean(f"{row.title} on {device}", NAME)
    yield _name("process_name", process, title)
    yield _name("thread_name", process, THREAD)
    start_us = 0.0
    for op in profile:
        yield {
            "name": clean(op.op, NAME),
            "cat": "operator",
            "ph": "X",  # a complete event: begin and duration in microseconds
            "ts": start_us,
            "dur": op.ms * US_PER_MS,
            "pid": process,
            "tid": 1,
            "args": {"node": clean(op.name, NAME), "calls": op.calls, "ms": op.ms},
        }
        start_us += op.ms * US_PER_MS


def _name(what: str, process: int, name: str) -> Event:
    return {"name": what, "ph": "M", "pid": process, "tid": 1, "args": {"name": name}}


def _reason(comparisons: Sequence[Comparison]) -> str:
    why = (row.record.profiled.why_not for row in comparisons if row.record.profiled)
    first = next(filter(None, why), "")
    return f" ({clean(first, NAME)})" if first else ""
