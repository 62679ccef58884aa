"""JSON: strict, complete, measured apart from the paper's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ghostdeploy.paper_data import PAPER_DEVICE
from ghostdeploy.report.latency.formats.jsonfile import SCHEMA, render
from ghostdeploy.report.latency.report import Report


def loaded(report: Report) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(render(report, "r")["r.json"], parse_constant=refuse)


def test_numbers_round_trip(table_1: Report) -> None:
    document = loaded(table_1)
    assert document["schema"] == SCHEMA
    for found, comparison in zip(document["comparisons"], table_1.comparisons, strict=True):
        assert found["measured"]["latency_ms"]["value"] == comparison.latency_ms.value
        assert found["paper"]["device"] == PAPER_DEVICE
        assert found["paper"]["latency_ms"] == comparison.paper_latency_ms
        assert found["artifact"]["sha256"] == comparison.record.artifact.sha256
    assert document["comparisons"][0]["measured"]["ratio"] is None
    assert document["comparisons"][1]["measured"]["ratio"]["value"] == 1.602


def test_every_launch_is_there(table_1: Report) -> None:
    last = loaded(table_1)["comparisons"][2]
    assert [launch["counts"] for launch in last["launches"]].count(False) == 2
    launches = table_1.comparisons[2].record.launches
    values = [launch.summary.value_ms for launch in launches if launch.summary]
    assert [launch["value_ms"] for launch in last["launches"]] == values
    assert last["measured"]["invalid_reasons"] == {"thermal status 2 (moderate)": 2}


def test_nothing_measured_is_null_not_nan(crashed: Report) -> None:
    second = loaded(crashed)["comparisons"][1]
    assert second["measured"]["latency_ms"] is None
    assert "exit code 139" in second["measured"]["why_not"]


def test_without_a_measured_base_there_are_no_ratios(crashed: Report) -> None:
    first, dead, last = crashed.comparisons
    document = loaded(replace(crashed, comparisons=(dead, first, last)))
    assert [c["measured"]["ratio"] for c in document["comparisons"]] == [None] * 3


@pytest.mark.parametrize("text", ["\udc80 undecodable", "x" * 100_000, "名\u0000"])
def test_any_string_is_written(table_1: Report, text: str) -> None:
    assert len(loaded(replace(table_1, notes=(text,)))["notes"][0]) <= 4000
