"""``ghostdeploy bench``, ``compare`` and ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.instructions import (
    count_and_show,
    count_and_write,
    is_emulated,
    write_counts,
)
from ghostdeploy.cli.options import (
    bench_options,
    bench_params,
    export_options,
    export_request,
    model_options,
    spec_defaults,
)
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, stamp, with_progress

if TYPE_CHECKING:
    from ghostdeploy.types import Comparison


@click.command()
@click.argument("targets", metavar="[MODEL|FILE]...", nargs=-1)
@model_options
@export_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def bench(targets: tuple[str, ...], as_json: bool, **o: Any) -> None:
    """Measure the latency of one or more models, interleaved in one session."""
    from ghostdeploy.report.table import render_text

    if is_emulated(o["device"]):
        return count_and_show(targets or ("ghostnetv2",), o, as_json)
    report, paths = _measure(targets or ("ghostnetv2",), o, "Latency")
    if as_json:
        return emit_json(_summary(report.comparisons, paths))
    click.echo(render_text(report))
    click.echo(f"records: {o['records']}")


@click.command()
@click.option(
    "--models",
    "targets",
    default="",
    help="Models or files, with commas; the first is the ratio's base. Table 1 by default.",
)
@model_options
@export_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def compare(targets: str, as_json: bool, **o: Any) -> None:
    """The paper's Table 1: GhostNet, + self-attention, + DFC; export, measure, report."""
    from ghostdeploy.commands.compare import NOTES, TABLE_1
    from ghostdeploy.report.table import render_text

    names = tuple(t.strip() for t in targets.split(",") if t.strip()) or TABLE_1
    title = "Comparison" if targets else "GhostNet, + self-attention, + DFC attention (Table 1)"
    if is_emulated(o["device"]):
        return count_and_write(names, o, title, as_json)
    report, _ = _measure(names, o, title, NOTES)
    written = _write(report, o["records"], f"compare-{stamp()}")
    if as_json:
        return emit_json(_summary(report.comparisons, written))
    click.echo(render_text(report))
    click.echo("\n".join(f"wrote {path}" for path in written))


@click.command()
@click.argument("records", type=Path, nargs=-1, required=True)
@click.option("--title", default="Latency", show_default=True)
@click.option("--out", type=Path, default=Path("reports"), show_default=True)
@click.option("--name", default="", help="Of the files, without ending; the date by default.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def report(records: tuple[Path, ...], title: str, out: Path, name: str, as_json: bool) -> None:
    """Make the report anew from RECORDS; the first is the ratio's base."""
    from ghostdeploy.commands.compare import NOTES, comparisons
    from ghostdeploy.records import read_record
    from ghostdeploy.report import Report

    read = [read_record(path) for path in records]
    if any(record.instructions for record in read):
        return write_counts(read, out, title, name or f"report-{stamp()}", as_json)
    rows = comparisons(read)
    written = _write(Report(title, tuple(rows), NOTES), out, name or f"report-{stamp()}")
    if as_json:
        return emit_json(_summary(rows, written))
    click.echo("\n".join(f"wrote {path}" for path in written))


def _measure(
    names: Sequence[str], o: dict[str, Any], title: str, notes: tuple[str, ...] = ()
) -> tuple[Any, list[Path]]:
    from ghostdeploy.commands import compare as command
    from ghostdeploy.commands.targets import parse_subject
    from ghostdeploy.report import Report
    from ghostdeploy.runners import open_runner

    params, defaults = bench_params(o), spec_defaults(o)
    targets = [parse_subject(name, defaults) for name in names]
    format_ = "onnx" if params.runtime == "onnxruntime" else "tflite"
    runner = open_runner(o["device"], params)  # first: a wrong device is known at once
    try:
        subjects = with_progress(
            lambda p: command.prepare(targets, lambda spec: export_request(o, spec, (format_,)), p)
        )
        found = with_progress(lambda p: command.measure(subjects, runner, params, o["records"], p))
    finally:
        runner.close()
    rows = command.comparisons(found, [s.title for s in subjects])
    return Report(title, tuple(rows), notes), []


def _write(report: Any, out: Path, stem: str) -> list[Path]:
    from ghostdeploy.quiet import captured
    from ghostdeploy.report import write_report

    with captured():
        return write_report(report, out, stem)


def _summary(rows: Sequence[Comparison], written: Sequence[Path]) -> dict[str, object]:
    return {
        "files": [str(path) for path in written],
        "models": [
            {
                "title": row.title,
                "file": row.record.artifact.path,
                "latency_ms": asdict(row.latency_ms),
                "ratio": asdict(row.ratio) if row.ratio else None,
                "noise": row.noise,
                "advice": row.advice,
                "valid_launches": len(row.record.valid_launches),
                "paper": {
                    "latency_ms": row.paper_latency_ms,
                    "ratio": row.paper_ratio,
                    "source": row.paper_source,
                },
                "evidence": asdict(row.record.evidence),
                "device": asdict(row.record.device),
            }
            for row in rows
        ],
    }
