"""``ghostdeploy eval``: every classifier on the same images, and what came of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.eval.accuracy import (
    Best,
    Evaluation,
    Paired,
    add_outputs,
    compare_pair,
    measure_accuracy,
)
from ghostdeploy.commands.eval.classifier import Classifier
from ghostdeploy.commands.eval.kept import answers_path, append_answers, read_answers
from ghostdeploy.commands.eval.prediction import Answered, Sums, predict
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.files import ensure_writable
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.quiet import capture_output

if TYPE_CHECKING:
    from ghostdeploy.images.labelled import LabelledImages


@dataclass(frozen=True)
class EvalRequest:
    """Which classifiers to judge, on which images.

    ``base`` is the first one's name where the others are compared with it, "" for none; ``limit``
    takes so many images, evenly spread, 0 all. Predictions are kept in ``records`` as they come.

    Raises UsageError where classes or sizes do not fit together.
    """

    classifiers: tuple[Classifier, ...]
    data: LabelledImages
    records: Path
    base: str = ""
    limit: int = 0

    def __post_init__(self) -> None:
        first, classes = self.classifiers[0], len(self.data.classes)
        for one in self.classifiers:
            if one.how.resolution != first.how.resolution:
                raise UsageError(
                    f"{one.name} takes {_size(one)} and {first.name} {_size(first)}: evaluate them"
                    " apart"
                )
            if one.classes != classes:
                raise UsageError(
                    f"{one.name} tells {one.classes} classes apart, {self.data.root} has"
                    f" {classes}; name them all, in the model's order, with --labels FILE"
                )

    @property
    def images(self) -> list[int]:
        """The numbers of the images to take, evenly spread, so that all classes are there."""
        total = len(self.data.files)
        if not 0 < self.limit < total:
            return list(range(total))
        return sorted({n * total // self.limit for n in range(self.limit)})


def _size(one: Classifier) -> str:
    return "×".join(map(str, one.how.resolution))


def evaluate(request: EvalRequest, progress: Progress = ignore_progress) -> Evaluation:
    """Find top-1 and top-5 of every classifier on the same decoded images, over all cores.

    The same request again goes on where the last one stopped. Raises InputFileError for a model
    that cannot be run, MeasurementError where no image is usable or a process died.
    """
    with capture_output():
        ensure_writable(request.records)
        path = answers_path(request.records, request.classifiers, request.data)
        compared, picked = bool(request.base), request.images
        done = read_answers(path, len(request.classifiers), compared=compared)
        waiting = [n for n in picked if n not in done]
        total = len(picked)
        progress(total - len(waiting), total, "evaluating")
        with path.open("a", encoding="utf-8") as file:
            rounds = predict(request.classifiers, request.data, waiting, compared=compared)
            for rows in rounds:
                append_answers(file, rows)
                done |= {row.number: row for row in rows}
                progress(sum(n in done for n in picked), total, "evaluating")
        return _judge(request, {n: done[n] for n in picked}, path)


def _judge(request: EvalRequest, done: Mapping[int, Answered], path: Path) -> Evaluation:
    from ghostdeploy.images.decoding import describe_skipped

    data, classifiers = request.data, request.classifiers
    answers = {n: one.answer for n, one in done.items()}
    told = describe_skipped(Counter(value for value in answers.values() if isinstance(value, str)))
    usable = {n: value for n, value in answers.items() if not isinstance(value, str)}
    if not usable:
        raise MeasurementError(f"{data.root}: no image is usable: {told}")
    truth = [data.labels[n] for n in usable]
    best = [[value[k] for value in usable.values()] for k in range(len(classifiers))]
    accuracies = tuple(
        measure_accuracy(one.name, given, truth, len(data.classes))
        for one, given in zip(classifiers, best, strict=True)
    )
    pairs = _compare_with_base(request, best, truth, [done[n].sums for n in usable])
    return Evaluation(str(data.root), data.classes, accuracies, pairs, told, str(path))


def _compare_with_base(
    request: EvalRequest, best: Sequence[Best], truth: Sequence[int], sums: Sequence[Sums]
) -> tuple[Paired, ...]:
    """Compare every classifier with the first one, which is the base where there is one."""
    if not request.base:
        return ()
    base, *others = request.classifiers
    pairs = []
    for k, one in enumerate(others, 1):
        pair = compare_pair(one.name, base.name, best[0], best[k], truth)
        first, second = ([row[at] for row in sums] for at in (0, k))
        pairs.append(add_outputs(pair, first, second))
    return tuple(pairs)
