"""Figures: valid, not blank, of sensible size, labels apart."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ghostdeploy.report.latency.formats.plots import (
    PLOTS,
    applicable_plots,
    draw_image,
    file_name,
    render,
)
from ghostdeploy.report.latency.report import Report
from ghostdeploy.schema import Interval

pytest.importorskip("matplotlib")


def pixels(png: bytes) -> Any:
    import numpy as np
    from PIL import Image

    picture = Image.open(io.BytesIO(png))
    picture.verify()
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("name", ["table_1", "crashed", "eight"])
def test_pngs_are_pictures(name: str, request: pytest.FixtureRequest) -> None:
    files = render(request.getfixturevalue(name), "r")
    assert set(files) == {"r.latency.png", "r.accuracy.png", "r.launches.png"}
    for png in files.values():
        picture = pixels(png)
        height, width, _ = picture.shape
        assert 1200 <= width <= 2400
        assert 300 <= height <= 2400
        ink = (picture < 200).any(axis=2)
        assert 0.003 < ink.mean() < 0.5
        assert not ink[:, :4].any(), "something is cut off at the left"
        assert not ink[:, -4:].any(), "something is cut off at the right"


def test_one_model_and_unicode_and_dollars(make: Callable[..., Report], ghostnet: Any) -> None:
    for title in ("幽灵网络", "$x^{$ \\frac" + "W" * 300, ""):
        report = make((replace(ghostnet, title=title),))
        for png in render(report, "r").values():
            assert pixels(png).std() > 5


@pytest.mark.parametrize(
    "limits", [(float("nan"), float("nan")), (float("-inf"), float("inf")), (9e9, -9e9)]
)
def test_odd_limits_are_drawn_without(table_1: Report, limits: tuple[float, float]) -> None:
    def odd(interval: Interval | None) -> Interval | None:
        return interval and Interval(interval.value, *limits)

    comparisons = tuple(
        replace(c, latency_ms=odd(c.latency_ms) or c.latency_ms, ratio=odd(c.ratio))
        for c in table_1.comparisons
    )
    report = replace(table_1, comparisons=comparisons)
    for plot in PLOTS[:2]:
        assert pixels(draw_image(plot, report)).std() > 5


def test_many_models_still_fit(make: Callable[..., Report], ghostnet: Any) -> None:
    models = [
        replace(ghostnet, title=f"Model with number {i}", ratio=1 + i / 50) for i in range(24)
    ]
    png = draw_image(PLOTS[1], make(tuple(models)))
    assert not (pixels(png)[-6:] < 200).any()


def test_figures_without_data_are_left_out(make: Callable[..., Report], ghostnet: Any) -> None:
    report = make((replace(ghostnet, paper=(None, None, None)),))
    first = report.comparisons[0]
    empty = replace(first, record=replace(first.record, launches=()))
    assert [plot.name for plot in applicable_plots(report)] == ["latency", "launches"]
    assert [p.name for p in applicable_plots(replace(report, comparisons=(empty,)))] == ["latency"]


def test_the_same_report_gives_the_same_bytes(table_1: Report) -> None:
    plot = PLOTS[0]
    assert draw_image(plot, table_1) == draw_image(plot, table_1)
    assert draw_image(plot, table_1, kind="svg") == draw_image(plot, table_1, kind="svg")
    assert file_name("a", plot) == "a.latency.png"


def test_drawing_leaves_matplotlib_as_it_was(table_1: Report) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw_image(PLOTS[0], table_1)
    assert dict(mpl.rcParams) == before


def test_labels_do_not_overlap(table_1: Report, eight: Report) -> None:
    from ghostdeploy.report.figures.accuracy import draw
    from ghostdeploy.report.figures.style import LIGHT, use_theme

    for report in (table_1, eight):
        with use_theme(LIGHT):
            figure = draw(report, LIGHT)
            boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        for index, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[index + 1 :])
