"""Where a quantized model lost its signal: every layer in graph order, as CSV, JSON or a plot."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict

from ghostdeploy.report.figures.style import LIGHT, encode, use_theme
from ghostdeploy.schema import QuantizationError

CEILING_DB = 60.0  # beyond it a layer is as good as exact
NAMED = 10


def to_csv(title: str, error: QuantizationError) -> bytes:
    """Return one line a layer: position, name, torch module, SNR in dB, saturated share."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("position", "name", "module", "snr_db", "saturated"))
    for position, layer in enumerate(error.layers):
        rows.writerow(
            (position, layer.name, layer.module, f"{layer.snr_db:.2f}", f"{layer.saturated:.5f}")
        )
    return text.getvalue().encode()


def to_json(title: str, error: QuantizationError) -> bytes:
    """Return the whole report, and the ten worst layers by name."""
    worst = [layer.name for layer in error.worst(NAMED)]
    whole = {"model": title, "worst": worst, **asdict(error)}
    return (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode()


def to_png(title: str, error: QuantizationError) -> bytes:
    """Plot SNR by position in the graph, the ten worst layers numbered and named.

    Raises MissingExtraError without matplotlib.
    """
    with use_theme(LIGHT):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 6), layout="constrained")
        axes = figure.add_subplot()
        values = [min(layer.snr_db, CEILING_DB) for layer in error.layers]
        axes.plot(range(len(values)), values, color=LIGHT.color(0), linewidth=1)
        position = {layer.name: n for n, layer in enumerate(error.layers)}
        for number, layer in enumerate(error.worst(NAMED), 1):
            at = position[layer.name]
            axes.plot(at, values[at], "o", color=LIGHT.color(1), markersize=5)
            axes.annotate(str(number), (at, values[at]), (0, -13), textcoords="offset points",
                          ha="center", fontsize=8, color=LIGHT.color(1))  # fmt: skip
        axes.set_xlabel("layer, in graph order")
        axes.set_ylabel(f"SNR against fp32 (dB, cut at {CEILING_DB:.0f})")
        axes.set_title(
            f"{title}: output SNR {error.snr_db:.1f} dB over {error.inputs} held-out images"
        )
        axes.grid(True, color=LIGHT.grid)
        names = [
            f"{number}  {layer.snr_db:5.1f} dB  {layer.name[:70]}"
            for number, layer in enumerate(error.worst(NAMED), 1)
        ]
        figure.supxlabel("\n".join(names), x=0.06, ha="left", fontsize=8, family="monospace")
        return encode(figure, "png")


FORMATS: dict[str, Callable[[str, QuantizationError], bytes]] = {
    ".csv": to_csv,
    ".json": to_json,
    ".png": to_png,
}
