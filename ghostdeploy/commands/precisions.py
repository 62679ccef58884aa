"""Is a smaller number format worth it? One model in several precisions, measured side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.inputs import preprocessing_of
from ghostdeploy.commands.losses import losses_of_error, losses_of_pair
from ghostdeploy.commands.measure import MeasureRequest, choose_format, measure
from ghostdeploy.commands.places import find_places
from ghostdeploy.decision.thresholds import Losses, Thresholds, ThresholdVerdict, judge_losses
from ghostdeploy.errors import UsageError
from ghostdeploy.linting import read_graph
from ghostdeploy.progress import Progress, divide
from ghostdeploy.quantization import QuantizeOptions, recipe
from ghostdeploy.quiet import capture_output
from ghostdeploy.report.latency.report import Report
from ghostdeploy.schema import Comparison, ModelSpec, QuantizationError
from ghostdeploy.sources.reference import NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import Accuracy, Evaluation, Paired
    from ghostdeploy.images.labelled import LabelledImages
    from ghostdeploy.quantization.calibration import CalibrationData

CLOSE = 0.03  # a ratio within this of one is no difference that anybody would notice
POINT = 0.01  # of top-1: what int8 is commonly allowed to lose
AGREES = 0.97  # of unlabelled images, where the accuracy is not known


@dataclass(frozen=True)
class PrecisionsRequest:
    """One model in several precisions.

    ``measuring`` has a model for each of ``precisions``, in their order. ``quantize`` says on what
    images the answers are compared, ``data`` is a folder of labelled ones, None without. ``title``
    is the report's.
    """

    spec: ModelSpec | NetworkReference
    precisions: tuple[str, ...]
    title: str
    measuring: MeasureRequest
    quantize: QuantizeOptions = QuantizeOptions()
    data: Path | None = None


@dataclass(frozen=True)
class PrecisionRow:
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


def check_precisions(request: MeasureRequest, precisions: Sequence[str]) -> None:
    """Raise UsageError for a precision that is none, or no file that the runtime can run."""
    format_ = choose_format(request.device, request.params)
    for name in precisions:
        if format_ not in recipe(name).formats:
            raise UsageError(f"{name} is no {format_} file; leave it out, or change --runtime")


def compare_precisions(
    request: PrecisionsRequest, progress: Progress, tell: Callable[[str], None]
) -> tuple[list[PrecisionRow], Report]:
    """Export the model in every precision, measure all in one session, and judge each.

    Raises UsageError for several places to measure at, and what ``measure``, reading the images
    and evaluating raise.
    """
    from ghostdeploy.images.labelled import read_labelled
    from ghostdeploy.quantization.calibration import gather

    measuring, names = request.measuring, request.precisions
    data = read_labelled(request.data) if request.data else None
    if len(find_places(measuring.device, measuring.params.cpus, measuring.adb)) > 1:
        raise UsageError("--precisions takes one device and one cluster of it")
    timing, judging = divide(progress, (4.0, 1.0))
    found = measure(replace(measuring, side_by_side=False), timing, tell)
    judging(0, 1, "comparing the answers")
    (compared,) = found.compare(names).values()
    with capture_output():
        paths = [Path(contender.artifact.path) for contender in found.contenders]
        how = preprocessing_of(paths[0], read_graph(paths[0]), request.quantize.crop)
        images = gather(request.quantize, how)
        judged = _evaluate(paths, data, request) if data else None
        rows = judge_precisions(names, compared, images, judged)
    verdicts = tuple(f"{row.precision}: {row.verdict}" for row in rows)
    return rows, Report(request.title, tuple(compared), verdicts)


def _evaluate(
    paths: Sequence[Path], data: LabelledImages, request: PrecisionsRequest
) -> Evaluation:
    from ghostdeploy.commands.eval import EvalRequest, evaluate, open_classifier

    files = tuple(open_classifier(path, request.quantize.crop) for path in paths)
    return evaluate(EvalRequest(files, data, request.measuring.records, base=files[0].name))


def judge_precisions(
    precisions: Sequence[str],
    compared: Sequence[Comparison],
    data: CalibrationData | None,
    judged: Evaluation | None = None,
) -> list[PrecisionRow]:
    """Return a row for each precision, in the order of ``compared``.

    The first is what the others are held against. ``judged`` are their accuracies in the same
    order, None without labelled images.
    """
    from ghostdeploy.commands.quantize.judge import count_partitions, judge_logits
    from ghostdeploy.commands.quantize.onnx_model import judge_onnx_logits

    rows: list[PrecisionRow] = []
    for number, (precision, latency) in enumerate(zip(precisions, compared, strict=True)):
        path = Path(latency.record.artifact.path)
        first = Path(compared[0].record.artifact.path)
        tflite = path.suffix == ".tflite"
        error = None
        if number and data is not None:
            judge = judge_logits if tflite else judge_onnx_logits
            error = judge(first.read_bytes(), path.read_bytes(), data.held_out)
        row = PrecisionRow(
            precision=precision,
            size_mb=latency.record.artifact.size_bytes / 1e6,
            latency=latency,
            kernels=count_partitions(path.read_bytes()) if tflite else None,
            error=error,
            synthetic=data is not None and data.identity.synthetic,
            accuracy=judged.accuracies[number] if judged else None,
            paired=judged.paired[number - 1] if number and judged else None,
        )
        rows.append(replace(row, verdict=judge_precision(row, rows[0] if rows else row)))
    return rows


def judge_rows(rows: Sequence[PrecisionRow], limits: Thresholds) -> dict[str, ThresholdVerdict]:
    """Hold every precision but the first against ``limits``; {} where there are none."""
    if not limits.given:
        return {}
    return {row.precision: judge_losses(limits, _losses(row)) for row in rows[1:]}


def _losses(row: PrecisionRow) -> Losses:
    found = losses_of_error(row.error) if row.error else Losses()
    return replace(found, drop=losses_of_pair(row.paired).drop) if row.paired else found


def judge_precision(row: PrecisionRow, base: PrecisionRow) -> str:
    """Say in a sentence whether a precision is worth it, held against ``base``."""
    if row is base:
        return "what the others are held against"
    ratio = row.latency.ratio
    if ratio is None:
        return "no verdict: there is no latency ratio"
    if row.latency.disturbed or base.latency.disturbed:
        return "no verdict: other programs disturbed every launch"
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


def _pieces(row: PrecisionRow, base: PrecisionRow) -> str:
    if row.kernels is None or base.kernels is None or row.kernels <= base.kernels:
        return ""
    return f", cut into {row.kernels} XNNPACK partitions"


def _answers(row: PrecisionRow) -> tuple[bool, str]:
    """Tell whether the answers are still good enough, and how that is known."""
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
