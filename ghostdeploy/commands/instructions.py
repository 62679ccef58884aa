"""Counting the instructions of several models on an emulated core, and comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ghostdeploy.commands.bench.new_records import new_records
from ghostdeploy.commands.models import paper_says_of
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.runners import Runner
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    InstructionComparison,
    Instructions,
)
from ghostdeploy.typed_json import to_json


def count_instructions(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = ignore_progress,
) -> list[BenchRecord]:
    """Count the instructions of ``artifacts`` (real files); one record each, in their order.

    Two launches a model, which must agree to the instruction; the second also tells the
    operators. Raises UsageError or InputFileError for what cannot be run, MeasurementError where
    the launches differ or the outputs are not this machine's.
    """
    if not artifacts:
        raise UsageError("there is no model to count")
    ensure_writable(out_dir)
    found = []
    titles = titles_of(artifacts)
    for number, (name, record) in enumerate(new_records(artifacts, runner, params)):
        progress(number, len(artifacts), f"{titles[number]}: counting instructions")
        path = Path(record.artifact.path)
        launches = tuple(
            replace(runner.launch(path, replace(params, profile=profile)), round=index)
            for index, profile in enumerate((False, True))
        )
        record = replace(record, launches=launches)
        write_atomic(out_dir / name, to_json(record))
        _check(record)
        found.append(record)
    return found


def _check(record: BenchRecord) -> None:
    path = record.artifact.path
    for launch in record.launches:
        if not launch.valid:
            raise MeasurementError(f"{path}: {launch.why_not}")
    classes = [x.instructions.classes for x in record.launches if x.instructions]
    if len(set(classes)) != 1:
        totals = ", ".join(str(sum(c)) for c in classes)
        raise MeasurementError(f"{path}: two launches do not count alike: {totals} instructions")


def compare_instructions(
    bench_records: Sequence[BenchRecord], titles: Sequence[str] = (), table: str = ""
) -> list[InstructionComparison]:
    """Return a row for each record, with the paper's latency beside it where there is one.

    With ``table`` it is that table's alone.

    Raises UsageError for a record without instructions.
    """
    names = list(titles) or titles_of([r.artifact for r in bench_records])
    base = bench_records[0]
    base_said = paper_says_of(base.artifact, table).latency_ms
    rows = []
    for record, title in zip(bench_records, names, strict=True):
        said = paper_says_of(record.artifact, table)
        latency = said.latency_ms
        rows.append(
            InstructionComparison(
                title=title,
                record=record,
                instructions=_instructions_of(record),
                ratio=_ratio(record, base),
                paper_latency_ms=latency,
                paper_ratio=latency / base_said if latency and base_said else None,
                paper_source=said.source,
            )
        )
    return rows


def _ratio(record: BenchRecord, base: BenchRecord) -> float | None:
    """Return the ratio of the totals, None where more than the model differs."""
    same = record.device == base.device and _kernels(record) == _kernels(base)
    return _instructions_of(record).total / _instructions_of(base).total if same else None


def _kernels(record: BenchRecord) -> tuple[object, ...]:
    return record.params.xnnpack, record.params.fp16, record.evidence.runtime_sha256


def _instructions_of(record: BenchRecord) -> Instructions:
    if record.instructions is None:
        raise UsageError(
            f"{record.artifact.path}: its record is of {record.device.scheme} and has no"
            " instructions; report times and instructions apart"
        )
    return record.instructions
