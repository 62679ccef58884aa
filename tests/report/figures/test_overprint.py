"""No figure prints one text on another, or cuts one off: every text that is drawn is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest

from ghostdeploy.report.latency.formats.plots import PLOTS, draw_spotted
from ghostdeploy.report.latency.report import Report
from ghostdeploy.schema import LayerError, QuantizationError
from tests.report.gate.test_formats import GREEN, RUN

pytest.importorskip("matplotlib")
from ghostdeploy.report.figures import layers, trend
from ghostdeploy.report.figures.style import DARK, LIGHT, use_theme

SLACK = 1.0  # pixels


@contextmanager
def drawn_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """The text and box of whatever is drawn; ticks out of view are not."""
    from matplotlib.text import Text

    found: list[tuple[str, Any]] = []
    draw = Text.draw

    def draw_and_tell(self: Text, renderer: Any, *more: Any, **settings: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), Text.get_window_extent(self, renderer)))
        draw(self, renderer, *more, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(Text, "draw", draw_and_tell)
        yield found


def check(figure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with drawn_texts(monkeypatch) as found:
        figure.canvas.draw()
    assert found
    frame = figure.bbox
    for text, box in found:
        assert min(box.x0, box.y0, frame.x1 - box.x1, frame.y1 - box.y1) >= 0, text
    for (text, a), (other, b) in combinations(found, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        tall = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide < SLACK or tall < SLACK, f"{text!r} lies on {other!r}"


@pytest.mark.parametrize("name", ["table_1", "crashed", "eight", "crowded"])
def test_latency_reports(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    report: Report = request.getfixturevalue(name)
    for plot in PLOTS:
        if plot.applies(report):
            with use_theme(LIGHT):
                check(plot.draw(report, LIGHT), monkeypatch)


@pytest.mark.parametrize("count", [1, 16, 60])
def test_the_trend_of_gates(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        replace(run, name=name) for name in ("fp32", "W" * 200) for run in ([GREEN, RUN] * count)
    ]
    with use_theme(DARK):
        check(trend.draw(runs, DARK), monkeypatch)


@pytest.mark.parametrize("count", [1, 12, 300])
def test_the_layers_of_a_quantized_model(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(count)
    names = [f"{'model/' * 30}block_{n // 4}/{'deeper/' * 30}Conv2D;{n % 4}" for n in range(count)]
    found = QuantizationError(
        12,
        31.4,
        0.9,
        0.98,
        layers=tuple(
            LayerError(x, "", dice.uniform(10, 12) if 100 < n < 109 else dice.uniform(20, 50), 0.0)
            for n, x in enumerate(names)
        ),
    )
    with use_theme(LIGHT), drawn_texts(monkeypatch) as texts:
        figure = layers.draw("models/" + "m" * 300, found, LIGHT)
        figure.canvas.draw()
        listed = [text[13:] for text, _ in texts if " dB  " in text]
        assert len(set(listed)) == len(listed) == min(count, 10)
    with use_theme(LIGHT):
        check(figure, monkeypatch)


def test_marks_tell_what_is_behind_them(table_1: Report) -> None:
    spots = {plot.name: draw_spotted(plot, table_1, LIGHT, "svg")[1] for plot in PLOTS[:2]}
    row = table_1.comparisons[1]
    latency = row.latency_ms
    told = f"{row.title}: {latency.value!r} [{latency.lower!r}, {latency.upper!r}] ms"
    assert told in [spot.text for spot in spots["latency"]]
    for spot in (*spots["latency"], *spots["accuracy"]):
        assert 0 <= spot.left < spot.left + spot.width <= 1
        assert 0 <= spot.top < spot.top + spot.height <= 1
