"""Where a quantized model lost its signal: SNR by position, the worst layers numbered and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghostdeploy.report.figures.labels import Label, place_labels
from ghostdeploy.report.figures.style import Theme, add_halo, new_figure, shrink_to, strip_frame
from ghostdeploy.report.parts.clean_text import clean, shorten_apart
from ghostdeploy.schema import QuantizationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, PLOT_IN, TOP_IN, AXIS_IN, LINE_IN = 10.0, 4.0, 0.5, 0.75, 0.17
CEILING_DB = 60.0  # beyond it a layer is as good as exact
NAMED = 10
NAME = 120  # characters


def draw(title: str, error: QuantizationError, theme: Theme) -> Figure:
    """Draw SNR in dB over the layers in graph order, and list the NAMED worst ones below."""
    worst = error.worst(NAMED)
    names_in = LINE_IN * (len(worst) + 1)
    height = TOP_IN + PLOT_IN + AXIS_IN + names_in
    figure = new_figure(WIDTH_IN, height)
    axes = figure.add_axes((0.07, (AXIS_IN + names_in) / height, 0.91, PLOT_IN / height))
    _plot(axes, error, theme)
    over = f"output SNR {error.snr_db:.1f} dB over {error.inputs} held-out images"
    heading = axes.set_title(f"{clean(title, NAME)}: {over}", loc="left")
    shrink_to(heading, axes.bbox.width)
    names = shorten_apart([layer.name for layer in worst], NAME)
    for number, (layer, name) in enumerate(zip(worst, names, strict=True), 1):
        line = figure.text(
            0.07,
            (names_in - LINE_IN * (number - 0.5)) / height,
            f"{number:2}  {layer.snr_db:5.1f} dB  {name}",
            va="top",
            fontsize=8,
            family=["DejaVu Sans Mono", "monospace"],
        )
        shrink_to(line, 0.91 * figure.bbox.width)
    return figure


def _plot(axes: Axes, error: QuantizationError, theme: Theme) -> None:
    values = [min(layer.snr_db, CEILING_DB) for layer in error.layers]
    axes.plot(range(len(values)), values, color=theme.color(0), linewidth=1)
    # As QuantizationError.worst orders them; names may recur.
    worst = sorted(range(len(values)), key=lambda at: error.layers[at].snr_db)[:NAMED]
    points = [(float(at), values[at]) for at in worst]
    for x, y in points:
        axes.plot(x, y, "o", color=theme.color(1), markersize=5)
    axes.set_xlabel("layer, in graph order")
    axes.set_ylabel(f"SNR against fp32 (dB, cut at {CEILING_DB:.0f})")
    strip_frame(axes, theme, "left", "bottom")
    axes.grid(axis="y", color=theme.grid, linewidth=0.8)
    axes.margins(x=0.03, y=0.12)
    axes.autoscale_view()  # now: matplotlib would set the limits when it draws, after the labels
    labels = [Label(str(n), x, y, theme.color(1), size=8) for n, (x, y) in enumerate(points, 1)]
    for text in place_labels(axes, labels, list(enumerate(values))):
        add_halo(text, theme)
