"""The paper's numbers: complete, typed, and as printed."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.paper_data import PAPER_DEVICE, figure_points, find_row, table_rows

TABLES = {"1": 3, "2": 30, "3": 6, "4": 6, "5": 3, "6": 5, "7": 5, "8": 4, "9": 6, "10": 5}
SUPPLEMENT = {"A1": 3, "A2": 4, "A3": 4}


@pytest.mark.parametrize(("table", "count"), [*TABLES.items(), *SUPPLEMENT.items()])
def test_every_table_is_whole(table: str, count: int) -> None:
    assert [row.row for row in table_rows(table)] == list(range(1, count + 1))


def test_table_1() -> None:
    plain, attention, dfc = table_rows("1")
    assert (plain.flops_m, plain.latency_ms, plain.top1) == (141, 31.1, 73.9)
    assert (attention.flops_m, attention.latency_ms, attention.top1) == (172, 72.3, 74.4)
    assert (dfc.flops_m, dfc.latency_ms, dfc.top1) == (167, 37.5, 75.3)
    assert plain.params_m is None


def test_find_takes_the_names_of_the_table() -> None:
    row = find_row("2", "GhostNetV2", "1.3x")
    assert (row.params_m, row.flops_m, row.top1, row.top5) == (8.9, 269, 76.9, 93.4)
    assert row.latency_ms is None


def test_detection_and_segmentation_columns() -> None:
    row = find_row("A1", "GhostNetV2", "1.0x")
    assert (row.ap, row.ap50, row.ap75) == (28.5, 46.6, 30.3)
    assert (row.ap_small, row.ap_medium, row.ap_large) == (16.1, 30.7, 38.7)
    assert find_row("5", "GhostNetV2", "1.0x").miou == 35.52


def test_latencies_name_their_device_and_nothing_else_does() -> None:
    every = [row for table in (*TABLES, *SUPPLEMENT) for row in table_rows(table)]
    assert {row.device for row in every if row.latency_ms} == {PAPER_DEVICE}
    assert {row.device for row in every if not row.latency_ms} == {""}


def test_figure_2_ends_where_the_tables_do() -> None:
    ours = [point for point in figure_points("2") if point.series == "GhostNetV2"]
    assert [point.x for point in ours] == [37.5, 56.7, 77.6]
    assert ours[0].x == table_rows("1")[2].latency_ms
    assert [p.x for p in ours[1:]] == [
        find_row("A3", "GhostNetV2", "1.3x").latency_ms,
        find_row("A3", "GhostNetV2", "1.6x").latency_ms,
    ]
    assert {point.x_unit for point in figure_points("2")} == {"ms"}
    assert {point.x_unit for point in figure_points("1")} == {"M"}


def test_the_points_of_a_series_are_ordered() -> None:
    points = figure_points("2")
    for before, after in pairwise(points):
        assert before.series != after.series or before.x < after.x


def test_the_zoo_names_rows_that_exist() -> None:
    zoo = pytest.importorskip("ghostdeploy.zoo")
    named = [row for arch in zoo.MODELS.values() for some in arch.paper.values() for row in some]
    assert named
    for row in named:
        assert find_row(row.table, row.model, row.variant).top1


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: table_rows("11"), "there are: 1, 2"),
        (lambda: find_row("1", "GhostNet", "1.0"), "did you mean 'GhostNet 1.0x'"),
        (lambda: figure_points("3"), "there are: 2, 1"),
    ],
)
def test_an_unknown_name_lists_the_known_ones(ask, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=re.escape(said)):
        ask()


@pytest.mark.parametrize("name", ["tables.csv", "figure_points.csv"])
def test_files_are_plain_utf8_with_unix_lines(name: str) -> None:
    data = files("ghostdeploy.paper").joinpath(name).read_bytes()
    assert b"\r" not in data
    assert data.decode("utf-8").endswith("\n")
