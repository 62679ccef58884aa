"""``ghostdeploy eval``: accuracy of files and networks on labelled images, compared in pairs."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.commands.export import network_of, weights_id
from ghostdeploy.commands.inputs import classes_of, preprocessing
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import GhostdeployError, InputFileError, MeasurementError, UsageError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.records import ensure_writable
from ghostdeploy.schema import Interval, ModelSpec
from ghostdeploy.stats import proportions

if TYPE_CHECKING:
    from ghostdeploy.images.decoding import Preprocessing
    from ghostdeploy.images.labelled import Labelled

TOP = 5
CHUNK = 32  # images that a process takes at a time


@dataclass(frozen=True)
class Subject:
    """A model to judge: a file, or with ``spec`` the torch network with its weights."""

    name: str
    path: Path | None
    spec: ModelSpec | None
    weights: Path | None
    seed: int
    how: Preprocessing
    classes: int
    identity: str


@dataclass(frozen=True)
class Accuracy:
    """One model on the usable images; ``per_class`` is (right, images) in the classes' order."""

    name: str
    top1: Interval
    top5: Interval
    images: int
    per_class: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Paired:
    """A model against the base on the same images. ``difference`` of top-1 is a share."""

    name: str
    base: str
    difference: Interval
    only_base: int
    only_this: int
    agreement: float
    p_value: float


@dataclass(frozen=True)
class Evaluation:
    """All models on one set of images; ``paired`` against the base where there is one."""

    data: str
    classes: tuple[str, ...]
    accuracies: tuple[Accuracy, ...]
    paired: tuple[Paired, ...]
    skipped: str
    progress_file: str


def subject(
    target: Path | ModelSpec, crop: float, weights: Path | None = None, seed: int = 0
) -> Subject:
    """What to judge. Raises InputFileError for a file that is not a classifier of images."""
    from ghostdeploy.images.decoding import Preprocessing
    from ghostdeploy.lint import read_graph

    if isinstance(target, ModelSpec):
        how = Preprocessing(target.resolution, crop=crop)
        who = f"{target!r} {weights_id(weights, seed)}"
        name = f"{target.name} (torch)"
        return Subject(name, None, target, weights, seed, how, target.num_classes, who)
    graph = read_graph(target)
    how, classes = preprocessing(target, graph, crop), classes_of(target, graph)
    return Subject(target.name, target, None, None, 0, how, classes, file_sha256(target))


def evaluate(
    subjects: Sequence[Subject],
    data: Labelled,
    records: Path,
    *,
    base: str = "",
    limit: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Top-1 and top-5 of every subject on the same decoded images, over all cores.

    Predictions are kept in ``records`` as they come; the same call again goes on where the last
    one stopped. ``base`` is the name that the others are compared with; ``limit`` takes so many
    images, evenly spread. Raises UsageError where classes or sizes do not fit together.
    """
    _check(subjects, data)
    ensure_writable(records)
    picked = _spread(len(data.files), limit)
    path = records / f"eval-{_key(subjects, data)}.jsonl"
    done = _read(path, len(subjects))
    waiting = [n for n in picked if n not in done]
    total = len(picked)
    progress(total - len(waiting), total, "evaluating")
    with path.open("a", encoding="utf-8") as file:
        for rows in _predictions(subjects, data, waiting):
            file.write("".join(json.dumps(row) + "\n" for row in rows))
            file.flush()
            done |= {row[0]: row[1] for row in rows}
            progress(sum(n in done for n in picked), total, "evaluating")
    return _judge(subjects, data, {n: done[n] for n in picked}, base, path)


def _check(subjects: Sequence[Subject], data: Labelled) -> None:
    first = subjects[0]
    for one in subjects:
        if one.how.resolution != first.how.resolution:
            raise UsageError(
                f"{one.name} takes {_size(one)} and {first.name} {_size(first)}: evaluate them"
                " apart"
            )
        if one.classes != len(data.classes):
            raise UsageError(
                f"{one.name} tells {one.classes} classes apart, {data.root} has"
                f" {len(data.classes)}; name them all, in the model's order, with --labels FILE"
            )


def _size(one: Subject) -> str:
    return "×".join(map(str, one.how.resolution))


def _spread(total: int, limit: int) -> list[int]:
    """``limit`` of ``total`` numbers, evenly spread, so that all classes are among them."""
    if not 0 < limit < total:
        return list(range(total))
    return sorted({n * total // limit for n in range(limit)})


def _key(subjects: Sequence[Subject], data: Labelled) -> str:
    """What the predictions depend on: the models, the steps before them, the images."""
    parts = [(one.identity, repr(one.how)) for one in subjects]
    files = [
        (path.relative_to(data.root).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in data.files
    ]
    text = json.dumps([parts, files, data.root.resolve().as_posix()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path, subjects: int) -> dict[int, Any]:
    """Predictions of an earlier run; a line that was cut short is left out."""
    found: dict[int, Any] = {}
    if not path.exists():
        return found
    text = path.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):  # what follows must not be glued to it
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    for line in text.splitlines():
        try:
            number, value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, str) or len(value) == subjects:
            found[int(number)] = value
    return found


def _predictions(
    subjects: Sequence[Subject], data: Labelled, waiting: Sequence[int]
) -> Iterator[list[tuple[int, Any]]]:
    """(image number, the five best classes of every subject, or why it was skipped)."""
    chunks = [waiting[n : n + CHUNK] for n in range(0, len(waiting), CHUNK)]
    work = [[(n, data.files[n]) for n in chunk] for chunk in chunks]
    cores = min(len(os.sched_getaffinity(0)), len(chunks))
    if work:
        _try_to_open(subjects)  # here, where an error can be told
    if cores < 2:
        yield from map(_predict, work)
        return
    # Spawned, not forked: a forked process inherits the runtimes' locked threads.
    with ProcessPoolExecutor(cores, get_context("spawn"), _open, (tuple(subjects),)) as pool:
        try:
            yield from pool.map(_predict, work)
        except BrokenProcessPool as error:
            raise MeasurementError(
                "a process died at an image; the same command goes on"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_opened: list[tuple[Preprocessing, Callable[[Any], Any]]] = []  # a process's own models


def _try_to_open(subjects: Sequence[Subject]) -> None:
    """Raises InputFileError for a model that its runtime here does not take."""
    try:
        _open(tuple(subjects))
    except GhostdeployError:
        raise
    except Exception as error:  # onnxruntime has many kinds of its own, LiteRT raises Python's
        line = str(error).strip().split("\n", 1)[0][:160]
        names = ", ".join(one.name for one in subjects)
        raise InputFileError(f"{names} cannot be run here: {line}") from error


def _open(subjects: tuple[Subject, ...]) -> None:
    _opened[:] = [(one.how, _runner(one)) for one in subjects]


def _runner(one: Subject) -> Callable[[Any], Any]:
    """From an input (1, 3, H, W) to logits (classes,), on one thread."""
    from ghostdeploy.export import parity

    if one.spec is not None:
        return _torch_runner(one)
    assert one.path is not None
    data = one.path.read_bytes()
    if one.path.suffix == ".tflite":
        run = parity.tflite_runner(data, threads=1)
    else:
        import onnx

        names = [value.name for value in onnx.load_from_string(data).graph.output]
        run = parity.onnx_runner(data, names, threads=1)
    return lambda image: next(iter(run(image).values()))[0]


def _torch_runner(one: Subject) -> Callable[[Any], Any]:
    import torch

    assert one.spec is not None
    torch.set_num_threads(1)
    network = network_of(one.spec, one.weights, one.seed)

    def run(image: Any) -> Any:
        with torch.no_grad():
            return network(torch.from_numpy(image))[0].numpy()

    return run


def _predict(work: list[tuple[int, Path]]) -> list[tuple[int, Any]]:
    from ghostdeploy.images.decoding import UnusableImage, decode

    rows: list[tuple[int, Any]] = []
    for number, path in work:
        try:
            pixels = decode(path, _opened[0][0])
        except UnusableImage as why:
            rows.append((number, str(why)))
            continue
        best = []
        for how, run in _opened:
            logits = run(how.finish(pixels)[None])
            best.append([int(c) for c in (-logits).argsort(kind="stable")[:TOP]])
        rows.append((number, best))
    return rows


def _judge(
    subjects: Sequence[Subject], data: Labelled, done: dict[int, Any], base: str, path: Path
) -> Evaluation:
    from ghostdeploy.images.decoding import skipped_text

    skipped = Counter(value for value in done.values() if isinstance(value, str))
    usable = [n for n, value in done.items() if not isinstance(value, str)]
    if not usable:
        raise MeasurementError(f"{data.root}: no image is usable: {skipped_text(skipped)}")
    truth = [data.labels[n] for n in usable]
    best = [[done[n][k] for n in usable] for k in range(len(subjects))]
    accuracies = tuple(
        _accuracy(one.name, best[k], truth, len(data.classes)) for k, one in enumerate(subjects)
    )
    pairs: tuple[Paired, ...] = ()
    if base:
        at = next(k for k, one in enumerate(subjects) if one.name == base)
        pairs = tuple(
            _pair(one.name, base, best[at], best[k], truth)
            for k, one in enumerate(subjects)
            if k != at
        )
    told = skipped_text(skipped)
    return Evaluation(str(data.root), data.classes, accuracies, pairs, told, str(path))


def _accuracy(name: str, best: list[Any], truth: list[int], classes: int) -> Accuracy:
    right = [b[0] == t for b, t in zip(best, truth, strict=True)]
    five = sum(t in b for b, t in zip(best, truth, strict=True))
    per_class = [[0, 0] for _ in range(classes)]
    for good, label in zip(right, truth, strict=True):
        per_class[label][0] += good
        per_class[label][1] += 1
    return Accuracy(
        name=name,
        top1=proportions.wilson(sum(right), len(truth)),
        top5=proportions.wilson(five, len(truth)),
        images=len(truth),
        per_class=tuple((good, total) for good, total in per_class),
    )


def _pair(name: str, base: str, first: list[Any], second: list[Any], truth: list[int]) -> Paired:
    pairs = [(a[0], b[0], t) for a, b, t in zip(first, second, truth, strict=True)]
    only_base = sum(a == t != b for a, b, t in pairs)
    only_this = sum(b == t != a for a, b, t in pairs)
    return Paired(
        name=name,
        base=base,
        difference=proportions.difference(only_base, only_this, len(truth)),
        only_base=only_base,
        only_this=only_this,
        agreement=sum(a == b for a, b, _ in pairs) / len(truth),
        p_value=proportions.mcnemar_exact(only_base, only_this),
    )
