"""``ghostdeploy compare``: the paper's Table 1, or any list of models, measured side by side."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path

from ghostdeploy import zoo
from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.bench import compare_records
from ghostdeploy.commands.export import ExportRequest, ExportResult, export, form_of
from ghostdeploy.commands.models import paper_says
from ghostdeploy.commands.targets import Formed
from ghostdeploy.export.rewrites import FORMS
from ghostdeploy.progress import Progress
from ghostdeploy.schema import Artifact, BenchRecord, Comparison, ModelSpec

TABLE_1 = ("ghostnetv1", "ghostnetv1_sa", "ghostnetv2")

# What the HTML report says under the table, whatever was measured.
NOTES = (
    "Intervals are at 95 %: of the median over launches (order statistics), and of the ratio of"
    " launches in the same round (Hodges–Lehmann, exact signed-rank).",
    "Weights may be untrained: latency does not depend on them, and the accuracies shown are the"
    " paper's.",
    "Where “+ Self Attention” stands in GhostNet and how wide it is, the paper does not say; ours"
    " is a reconstruction that comes to 173.2 M MACs where the paper prints 172 M.",
)


@dataclass(frozen=True)
class Subject:
    """A model to be measured, and what to call it."""

    title: str
    artifact: Artifact


def prepare(
    targets: Sequence[ModelSpec | Path | Formed],
    make_request: Callable[[ModelSpec], ExportRequest],
    progress: Progress,
) -> list[Subject]:
    """Export the specs that are not there yet and open the files, in the targets' order."""
    requests = [
        _formed(make_request(target.spec), target.form)
        if isinstance(target, Formed)
        else make_request(target)
        for target in targets
        if not isinstance(target, Path)
    ]
    made = iter(export_all(requests, progress))
    subjects = []
    for target in targets:
        if isinstance(target, Path):
            artifact = artifact_of(target)
            subjects.append(Subject(title_of(artifact), artifact))
        else:
            artifact = next(made).artifact
            subjects.append(Subject(title_of(artifact), artifact))
    return subjects


def _formed(request: ExportRequest, title: str) -> ExportRequest:
    form = FORMS[title]
    export = replace(request.export, without=form.without, speed=form.speed)
    return replace(request, export=export)


def title_of(artifact: Artifact) -> str:
    """What tables call a model: its architecture, width and what else is not the default."""
    if artifact.spec is None:
        return Path(artifact.path).name
    spec, entry = artifact.spec, zoo.MODELS[artifact.spec.arch]
    parts = [entry.title]
    if spec.variant != "official":
        parts.append(f"({spec.variant})")
    parts.append(f"{spec.width}×")
    if spec.resolution != (224, 224):
        parts.append(f"{spec.resolution[0]}×{spec.resolution[1]}")
    if artifact.precision != "fp32":
        parts.append(artifact.precision)
    if artifact.format == "tflite":
        parts.append(form_of(artifact.export).title)
    return " ".join(filter(None, parts))


def export_all(requests: Sequence[ExportRequest], progress: Progress) -> list[ExportResult]:
    """Export every request, side by side in processes of their own where cores allow."""
    cores = os.cpu_count() or 1
    workers = min(len(requests), cores)
    if workers < 2 or len(requests) < 2:
        return [r for request in requests for r in export(request, progress)]
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
                progress(len(results), len(requests), Path(results[number].artifact.path).name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise
    return [results[n] for n in range(len(requests))]


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started meanwhile ignore Ctrl-C: this one hears it, and ends them."""
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


def comparisons(records: Sequence[BenchRecord], titles: Sequence[str] = ()) -> list[Comparison]:
    """A row a record, with the paper's figures beside ours where the paper has them.

    The paper measured floats. Its ratio is given where both the row's model and the first one's
    have its latency.
    """
    names = list(titles) or [title_of(r.artifact) for r in records]
    rows = compare_records(records, names)
    says = [
        paper_says(r.artifact.spec) if r.artifact.spec and r.artifact.precision == "fp32" else None
        for r in records
    ]
    base = says[0].latency_ms if says[0] else None
    return [
        replace(
            row,
            paper_latency_ms=said.latency_ms if said else None,
            paper_ratio=said.latency_ms / base if said and said.latency_ms and base else None,
            paper_top1=said.top1 if said else None,
            paper_source=said.source if said else "",
        )
        for row, said in zip(rows, says, strict=True)
    ]
