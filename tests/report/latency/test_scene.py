"""The points that the figures draw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.scene import LAUNCH_ORDER, anchor_index, lay_out_strips, relative_to
from ghostdeploy.report.latency.summary import summarize


def test_the_anchor_joins_the_devices(crashed: Report) -> None:
    first, dead, last = crashed.comparisons
    rows = summarize((dead, first, last))
    index = anchor_index(rows)
    assert index == 1
    here = relative_to(rows[2], rows[1])
    assert here is not None
    assert here.value == pytest.approx(last.latency_ms.value / first.latency_ms.value)
    assert anchor_index(summarize((dead,))) is None


def test_strips_show_time_and_what_does_not_count(table_1: Report) -> None:
    scene = lay_out_strips(table_1.comparisons)
    assert scene.x_label == "minutes since the first launch"
    assert [len(dots) for dots in scene.dots] == [10, 10, 10]
    assert [dot.x for dot in scene.dots[2] if not dot.valid] == pytest.approx(
        [2.17, 2.49], abs=0.01
    )
    slow = [dot.deviation for dot in scene.dots[2] if not dot.valid]
    assert all(deviation is not None and deviation > 15 for deviation in slow)


@pytest.mark.parametrize("stamp", ["", "yesterday", "2024-05-17T09:30:00"])
def test_without_usable_times_the_order_is_shown(table_1: Report, stamp: str) -> None:
    first = table_1.comparisons[0]
    launches = tuple(replace(x, started_at=stamp) for x in first.record.launches)
    scene = lay_out_strips((replace(first, record=replace(first.record, launches=launches)),))
    assert scene.x_label == LAUNCH_ORDER
    assert [dot.x for dot in scene.dots[0]] == list(range(1, 11))
