"""Classifiers' answers to labelled images, made by several processes that share the decoding."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ghostdeploy.commands.eval.classifier import Classifier, load_runner
from ghostdeploy.errors import MeasurementError
from ghostdeploy.lifeline import die_with

if TYPE_CHECKING:
    from ghostdeploy.images.labelled import LabelledImages
    from ghostdeploy.images.preprocessing import Preprocessing
    from ghostdeploy.lowering.parity import Array

TOP = 5
CHUNK = 32  # images that a process takes at a time

Work = Sequence[tuple[int, Path]]  # images by number
# The best classes of every classifier, best first; or why the image was skipped.
Answer = list[list[int]] | str
# Of every classifier's output x: Σx², and Σ(x − y)² to the first one's y.
Sums = Sequence[Sequence[float]]


class Answered(NamedTuple):
    """What became of one image; ``sums`` are there where the classifiers are compared."""

    number: int
    answer: Answer
    sums: Sums = ()


@dataclass
class _Opened:
    """A process's own models: the way to each one's input, and from there to its logits.

    ``stop`` is set once nobody waits for answers any more.
    """

    models: list[tuple[Preprocessing, Callable[[Array], Array]]]
    compared: bool = False
    stop: Event | None = None


_opened = _Opened([])


def predict(
    classifiers: Sequence[Classifier],
    data: LabelledImages,
    waiting: Sequence[int],
    *,
    compared: bool = False,
) -> Iterator[list[Answered]]:
    """Yield the answers to images, by number, some at a time, over all cores.

    ``compared``: with sums over the outputs. Raises InputFileError for a model that its runtime
    does not take, MeasurementError where a process died.
    """
    chunks = [waiting[n : n + CHUNK] for n in range(0, len(waiting), CHUNK)]
    work = [[(n, data.files[n]) for n in chunk] for chunk in chunks]
    cores = min(len(os.sched_getaffinity(0)), len(chunks))
    if work:
        _open(tuple(classifiers), compared)  # in this process, where an error can be told
    if cores < 2:
        yield from map(_predict_chunk, work)
        return
    yield from _predict_apart(tuple(classifiers), compared, work, cores)


def _predict_apart(
    classifiers: tuple[Classifier, ...], compared: bool, work: Sequence[Work], cores: int
) -> Iterator[list[Answered]]:
    # Spawned, not forked: a forked process inherits the runtimes' locked threads.
    context = get_context("spawn")
    stop = context.Event()
    start = (os.getpid(), classifiers, compared, stop)
    with ProcessPoolExecutor(cores, context, _open_apart, start) as pool:
        try:
            yield from pool.map(_predict_chunk, work)
        except BrokenProcessPool as error:
            raise MeasurementError(
                "a process died at an image; the same command goes on"
            ) from error
        except BaseException:
            stop.set()  # else each would finish its images first
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _open_apart(
    parent: int, classifiers: tuple[Classifier, ...], compared: bool, stop: Event
) -> None:
    die_with(parent)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _open(classifiers, compared)
    _opened.stop = stop


def _open(classifiers: tuple[Classifier, ...], compared: bool) -> None:
    """Raise InputFileError for a model that its runtime on this machine does not take."""
    _opened.models, _opened.compared = [], compared
    for one in classifiers:
        _opened.models.append((one.how, load_runner(one)))


def _predict_chunk(work: Work) -> list[Answered]:
    stop = _opened.stop
    return [_predict_image(*job) for job in work if not (stop and stop.is_set())]


def _predict_image(number: int, path: Path) -> Answered:
    from ghostdeploy.images.decoding import UnusableImage, decode_image

    try:
        pixels = decode_image(path, _opened.models[0][0])
    except UnusableImage as why:
        return Answered(number, str(why))
    outputs = [run(how.finish(pixels)[None]) for how, run in _opened.models]
    best = [[int(c) for c in (-x).argsort(kind="stable")[:TOP]] for x in outputs]
    return Answered(number, best, _sums(outputs) if _opened.compared else ())


def _sums(outputs: Sequence[Array]) -> Sums:
    wide = [x.astype("float64") for x in outputs]
    return [[float((x**2).sum()), float(((x - wide[0]) ** 2).sum())] for x in wide]
