"""Where a quantized model lost its signal: every layer in graph order, as CSV, JSON or a plot."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict

from ghostdeploy.report.figures import layers
from ghostdeploy.report.figures.style import LIGHT, encode, use_theme
from ghostdeploy.schema import QuantizationError


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
    worst = [layer.name for layer in error.worst(layers.NAMED)]
    whole = {"model": title, "worst": worst, **asdict(error)}
    return (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode()


def to_png(title: str, error: QuantizationError) -> bytes:
    """Plot SNR by position in the graph, the ten worst layers numbered and named.

    Raises MissingExtraError without matplotlib.
    """
    with use_theme(LIGHT):
        return encode(layers.draw(title, error, LIGHT), "png")


FORMATS: dict[str, Callable[[str, QuantizationError], bytes]] = {
    ".csv": to_csv,
    ".json": to_json,
    ".png": to_png,
}
