"""The models of a measurement: exported side by side or opened, and called by a title."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.export import ExportRequest, ExportResult, export
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.schema import Artifact


@dataclass(frozen=True)
class Contender:
    """A model to be measured, and what tables call it."""

    title: str
    artifact: Artifact


def prepare_contenders(
    models: Sequence[Path | ExportRequest], progress: Progress
) -> list[Contender]:
    """Open the files, and export the others where they are not there yet, in the models' order.

    Raises what ``artifact_of`` and ``export`` raise.
    """
    requests = [model for model in models if isinstance(model, ExportRequest)]
    made = iter(export_all(requests, progress))
    artifacts = [
        artifact_of(model) if isinstance(model, Path) else _made(next(made)) for model in models
    ]
    return list(map(Contender, titles_of(artifacts), artifacts))


def prepare_rows(
    names: Sequence[str], requests: Sequence[ExportRequest], progress: Progress
) -> tuple[list[Contender], list[str]]:
    """Export a table's rows, called ``names``; return those that were made, and why others not.

    Raises the first row's error where none could be made.
    """
    made = export_all(requests, progress, keep_going=True)
    rows = list(zip(names, made, strict=True))
    failed = {name: found for name, found in rows if isinstance(found, GhostdeployError)}
    if len(failed) == len(rows):
        raise failed[names[0]]
    contenders = [
        Contender(name, found.artifact) for name, found in rows if isinstance(found, ExportResult)
    ]
    return contenders, [f"{name}: {error}" for name, error in failed.items()]


Made = ExportResult | GhostdeployError


def _made(found: Made) -> Artifact:
    if isinstance(found, GhostdeployError):
        raise found
    return found.artifact


def export_all(
    requests: Sequence[ExportRequest], progress: Progress, *, keep_going: bool = False
) -> list[Made]:
    """Export every request, side by side in processes of their own where cores allow.

    Raises what ``export`` raises; with ``keep_going`` an error stands in its request's place.
    """
    cores = os.cpu_count() or 1
    workers = min(len(requests), cores)
    if workers < 2 or len(requests) < 2:
        parts = divide(progress, [1.0] * len(requests))
        pairs = zip(requests, parts, strict=True)
        return [_outcome(partial(_export_one, e, p), keep_going) for e, p in pairs]
    results: dict[int, Made] = {}
    # Spawned, not forked: a forked process inherits torch's locked threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _settle, (cores // workers,)) as pool:
        try:
            with _interrupts_ignored():
                futures = {pool.submit(_export_one, r): n for n, r in enumerate(requests)}
            progress(0, len(requests), f"exporting {len(requests)} models")
            for future in as_completed(futures):
                number = futures[future]
                results[number] = found = _outcome(future.result, keep_going)
                progress(len(results), len(requests), _tell(found))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise
    return [results[n] for n in range(len(requests))]


def _export_one(request: ExportRequest, progress: Progress = ignore_progress) -> ExportResult:
    return export(request, progress)[0]


def _outcome(work: Callable[[], ExportResult], keep_going: bool) -> Made:
    try:
        return work()
    except GhostdeployError as error:
        if not keep_going:
            raise
        return error


def _tell(found: Made) -> str:
    if isinstance(found, GhostdeployError):
        return "one could not be exported"
    return f"exported {Path(found.artifact.path).name}"


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl-C: this one hears it, and ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _settle(threads: int) -> None:
    """Take a share of the cores: torch's threads spin, and more of them than cores crawl.

    And have SIGTERM unwind the process, so that it ends its converter and removes its folder.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

    def leave(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
