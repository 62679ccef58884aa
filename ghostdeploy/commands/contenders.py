"""The models of a measurement: exported side by side or opened, and called by a title."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.export import ExportRequest, ExportResult, export
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.progress import Progress, divide
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
        artifact_of(model) if isinstance(model, Path) else next(made).artifact for model in models
    ]
    return list(map(Contender, titles_of(artifacts), artifacts))


def export_all(requests: Sequence[ExportRequest], progress: Progress) -> list[ExportResult]:
    """Export every request, side by side in processes of their own where cores allow."""
    cores = os.cpu_count() or 1
    workers = min(len(requests), cores)
    if workers < 2 or len(requests) < 2:
        parts = divide(progress, [1.0] * len(requests))
        return [r for each, part in zip(requests, parts, strict=True) for r in export(each, part)]
    results: dict[int, ExportResult] = {}
    # Spawned, not forked: a forked process inherits torch's locked threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _settle, (cores // workers,)) as pool:
        try:
            with _interrupts_ignored():
                futures = {pool.submit(export, r): n for n, r in enumerate(requests)}
            progress(0, len(requests), f"exporting {len(requests)} models")
            for future in as_completed(futures):
                number = futures[future]
                results[number] = future.result()[0]
                name = Path(results[number].artifact.path).name
                progress(len(results), len(requests), f"exported {name}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise
    return [results[n] for n in range(len(requests))]


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
