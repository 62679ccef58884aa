"""The numbers the GhostNetV2 paper prints, typed (the files: ``reports/paper``).

They come from the paper's phone and are never a measurement of ours.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ghostdeploy.errors import UsageError

PAPER_DEVICE = "Huawei P30 (Kirin 980 CPU), TFLite"


@dataclass(frozen=True)
class PaperRow:
    """One row of one of the paper's tables; None and "" where it prints nothing.

    ``params_m`` and ``flops_m`` are millions (the paper counts a multiply-accumulate as one
    FLOP), ``latency_ms`` is of ``device``, all accuracies are percent.
    """

    table: str
    row: int
    model: str
    variant: str
    params_m: float | None
    flops_m: float | None
    latency_ms: float | None
    top1: float | None
    top5: float | None
    device: str
    source: str
    resolution: str
    method: str
    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    miou: float | None
    note: str


@dataclass(frozen=True)
class FigurePoint:
    """One point of the paper's Figure 1 (``x`` in M FLOPs) or Figure 2 (``x`` in ms)."""

    figure: str
    series: str
    x: float
    x_unit: str
    top1: float
    likely_variant: str
    uncertainty: str
    source: str


def table_rows(table: str) -> tuple[PaperRow, ...]:
    """Return the rows of a table ("1" … "10", "A1" … "A3", "text-…") in the paper's order.

    Raises UsageError for a table that is not there.
    """
    found = tuple(row for row in _all_rows() if row.table == table)
    if not found:
        raise UsageError(_unknown("table of the paper", table, [r.table for r in _all_rows()]))
    return found


def network_tables() -> tuple[str, ...]:
    """Return the names of the paper's tables, without what only its text says."""
    names = dict.fromkeys(row.table for row in _all_rows())
    return tuple(name for name in names if not name.startswith("text"))


def find_row(table: str, model: str, variant: str) -> PaperRow:
    """Return the one row with this name, spelled as in tables.csv. Raises UsageError."""
    candidates = table_rows(table)
    for row in candidates:
        if (row.model, row.variant) == (model, variant):
            return row
    names = [f"{row.model} {row.variant}".strip() for row in candidates]
    raise UsageError(_unknown(f"row of the paper's Table {table}", f"{model} {variant}", names))


def figure_points(figure: str) -> tuple[FigurePoint, ...]:
    """Return the points of Figure "1" or "2", a series' points together and by rising ``x``.

    Raises UsageError for another figure.
    """
    found = tuple(point for point in _all_points() if point.figure == figure)
    if not found:
        known = [point.figure for point in _all_points()]
        raise UsageError(_unknown("figure of the paper", figure, known))
    return found


@cache
def _all_rows() -> tuple[PaperRow, ...]:
    return tuple(_row(line) for line in _lines("tables.csv"))


@cache
def _all_points() -> tuple[FigurePoint, ...]:
    return tuple(_point(line) for line in _lines("figure_points.csv"))


def _point(line: dict[str, str]) -> FigurePoint:
    return FigurePoint(
        figure=line["figure"],
        series=line["series"],
        x=float(line["x"]),
        x_unit=line["x_unit"],
        top1=float(line["top1"]),
        likely_variant=line["likely_variant"],
        uncertainty=line["uncertainty"],
        source=line["source"],
    )


def _row(line: dict[str, str]) -> PaperRow:
    return PaperRow(
        table=line["table"],
        row=int(line["row"]),
        model=line["model"],
        variant=line["variant"],
        params_m=_number(line["params_M"]),
        flops_m=_number(line["flops_M"]),
        latency_ms=_number(line["latency_ms"]),
        top1=_number(line["top1"]),
        top5=_number(line["top5"]),
        device=line["device"],
        source=line["source"],
        resolution=line["resolution"],
        method=line["method"],
        ap=_number(line["AP"]),
        ap50=_number(line["AP50"]),
        ap75=_number(line["AP75"]),
        ap_small=_number(line["APS"]),
        ap_medium=_number(line["APM"]),
        ap_large=_number(line["APL"]),
        miou=_number(line["mIoU"]),
        note=line["note"],
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _lines(name: str) -> Iterator[dict[str, str]]:
    text = files("ghostdeploy.paper").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(io.StringIO(text, newline=""))


def _unknown(kind: str, name: str, known: list[str]) -> str:
    choices = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"unknown {kind}: {name!r}{hint}; there are: {', '.join(choices)}"
