"""``ghostdeploy compare --precisions``: is a smaller number format worth it here?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.quantize.judge import count_partitions, judge_logits
from ghostdeploy.schema import Comparison, QuantizationError

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import Accuracy, Paired
    from ghostdeploy.quantize.calibration import CalibrationData

CLOSE = 0.03  # a ratio within this of one is no difference that anybody would notice
POINT = 0.01  # of top-1: what int8 is commonly allowed to lose
AGREES = 0.97  # of unlabelled images, where the accuracy is not known


@dataclass(frozen=True)
class Row:
    """One precision: its latency beside the first one's, and what became of the answers.

    ``error`` is against the first precision on ``error.inputs`` images, ``synthetic`` ones where
    no calibration data were given. ``accuracy`` and ``paired`` are there with labelled images.
    """

    precision: str
    size_mb: float
    latency: Comparison
    kernels: int | None
    error: QuantizationError | None
    synthetic: bool
    accuracy: Accuracy | None
    paired: Paired | None
    verdict: str = ""


def rows(
    precisions: Sequence[str],
    compared: Sequence[Comparison],
    data: CalibrationData | None,
    accuracies: Sequence[Accuracy] = (),
    paired: Sequence[Paired] = (),
) -> list[Row]:
    """A row a precision, in the order of ``compared``; the first is what others are held against.

    ``accuracies`` go with ``compared``, ``paired`` with all but the first; () where unknown.
    """
    found: list[Row] = []
    for number, (precision, latency) in enumerate(zip(precisions, compared, strict=True)):
        path = Path(latency.record.artifact.path)
        first = Path(compared[0].record.artifact.path)
        tflite = path.suffix == ".tflite"
        error = None
        if number and tflite and data is not None:
            error = judge_logits(first.read_bytes(), path.read_bytes(), data.held_out)
        row = Row(
            precision=precision,
            size_mb=latency.record.artifact.size_bytes / 1e6,
            latency=latency,
            kernels=count_partitions(path.read_bytes()) if tflite else None,
            error=error,
            synthetic=data is not None and data.identity.synthetic,
            accuracy=accuracies[number] if accuracies else None,
            paired=paired[number - 1] if number and paired else None,
        )
        base = found[0] if found else row
        found.append(Row(**{**vars(row), "verdict": verdict(row, base)}))
    return found


def verdict(row: Row, base: Row) -> str:
    """Worth it or not, in a sentence."""
    if row is base:
        return "what the others are held against"
    ratio = row.latency.ratio
    if ratio is None:
        return "no verdict: there is no latency ratio"
    kept, answers = _answers(row)
    size = row.size_mb / base.size_mb
    if ratio.lower > 1 + CLOSE:
        pieces = _pieces(row, base)
        return f"not worth it here: {ratio.value:.2f} times {base.precision}'s time{pieces}"
    if not kept:
        return f"not worth it as it is: {answers}"
    if ratio.upper < 1 - CLOSE:
        return f"worth it: {ratio.value:.2f} of {base.precision}'s time, {answers}"
    if size < 1 - CLOSE:
        return (
            f"worth it for its size only ({size:.2f} of {base.precision}'s): no faster, {answers}"
        )
    return f"no gain: neither faster nor smaller than {base.precision}"


def _pieces(row: Row, base: Row) -> str:
    if row.kernels is None or base.kernels is None or row.kernels <= base.kernels:
        return ""
    return f", cut into {row.kernels} XNNPACK partitions"


def _answers(row: Row) -> tuple[bool, str]:
    """Whether the answers are still good enough, and how that is known."""
    if row.paired is not None:
        lost = -row.paired.difference.value
        return lost <= POINT, f"{100 * lost:+.2f} points of top-1 lost"
    if row.error is None:
        return True, "answers not compared"
    what = "synthetic" if row.synthetic else "held-out"
    agree = row.error.top1_agreement
    return agree >= AGREES, (
        f"{agree:.1%} of answers on {row.error.inputs} {what} images are the same"
    )
