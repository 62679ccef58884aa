"""Classifiers' answers to labelled images, made by several processes that share the decoding."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.eval.classifier import Classifier, load_runner
from ghostdeploy.errors import GhostdeployError, InputFileError, MeasurementError, error_line

if TYPE_CHECKING:
    from ghostdeploy.images.labelled import LabelledImages
    from ghostdeploy.images.preprocessing import Preprocessing
    from ghostdeploy.lowering.parity import Array

TOP = 5
CHUNK = 32  # images that a process takes at a time

# The best classes of every classifier, best first; or why the image was skipped.
Answer = list[list[int]] | str


@dataclass
class _Opened:
    """A process's own models: the way to each one's input, and from there to its logits."""

    models: list[tuple[Preprocessing, Callable[[Array], Array]]]


_opened = _Opened([])


def predict(
    classifiers: Sequence[Classifier], data: LabelledImages, waiting: Sequence[int]
) -> Iterator[list[tuple[int, Answer]]]:
    """Yield image numbers and the answers to them, some at a time, over all cores.

    Raises InputFileError for a model that its runtime does not take, MeasurementError where a
    process died.
    """
    chunks = [waiting[n : n + CHUNK] for n in range(0, len(waiting), CHUNK)]
    work = [[(n, data.files[n]) for n in chunk] for chunk in chunks]
    cores = min(len(os.sched_getaffinity(0)), len(chunks))
    if work:
        _try_to_open(classifiers)  # in this process, where an error can be told
    if cores < 2:
        yield from map(_predict_chunk, work)
        return
    # Spawned, not forked: a forked process inherits the runtimes' locked threads.
    with ProcessPoolExecutor(cores, get_context("spawn"), _open, (tuple(classifiers),)) as pool:
        try:
            yield from pool.map(_predict_chunk, work)
        except BrokenProcessPool as error:
            raise MeasurementError(
                "a process died at an image; the same command goes on"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _try_to_open(classifiers: Sequence[Classifier]) -> None:
    """Raise InputFileError for a model that its runtime on this machine does not take."""
    try:
        _open(tuple(classifiers))
    except GhostdeployError:
        raise
    except Exception as error:  # onnxruntime has many kinds of its own, LiteRT raises Python's
        names = ", ".join(one.name for one in classifiers)
        raise InputFileError(f"{names} cannot be run here: {error_line(error)}") from error


def _open(classifiers: tuple[Classifier, ...]) -> None:
    _opened.models = [(one.how, load_runner(one)) for one in classifiers]


def _predict_chunk(work: Sequence[tuple[int, Path]]) -> list[tuple[int, Answer]]:
    return [(number, _predict_image(path)) for number, path in work]


def _predict_image(path: Path) -> Answer:
    from ghostdeploy.images.decoding import UnusableImage, decode_image

    try:
        pixels = decode_image(path, _opened.models[0][0])
    except UnusableImage as why:
        return str(why)
    best = []
    for how, run in _opened.models:
        logits = run(how.finish(pixels)[None])
        best.append([int(c) for c in (-logits).argsort(kind="stable")[:TOP]])
    return best
