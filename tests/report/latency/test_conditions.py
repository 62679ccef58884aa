"""The facts of a measurement's setup, as its records tell them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.report.latency.conditions import setup_facts
from ghostdeploy.schema import BenchParams, Comparison, Interval
from tests.commands.bench.hand_made import record_of


def facts_of(**launches: object) -> dict[str, str]:
    """The facts of one model whose three launches were alike."""
    invalid = launches.pop("invalid", ())
    record = record_of([1.0, 1.0, 1.0], invalid=invalid, params=BenchParams(runtime="litert"))
    record = replace(record, launches=tuple(replace(x, **launches) for x in record.launches))
    return dict(setup_facts([Comparison("m", record, Interval(1.0, 1.0, 1.0), None, 0.0)]))


@pytest.mark.parametrize("invalid", [(), (0, 1, 2)], ids=["quiet", "disturbed"])
def test_a_delegate_that_took_nothing_did_not_run(invalid: tuple[int, ...]) -> None:
    said = facts_of(partitions=0, invalid=invalid)["XNNPACK"]
    assert said == "on, but it took no part of the graph: builtin kernels"
    assert facts_of(partitions=1, invalid=invalid)["XNNPACK"] == "on"
    assert facts_of(partitions=None, invalid=invalid)["XNNPACK"] == "on"
