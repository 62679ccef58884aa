"""``ghostdeploy bench``, ``compare`` and ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    access,
    bench_options,
    bench_params,
    calibration_options,
    export_options,
    export_request,
    model_options,
    spec_defaults,
)
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, stamp, with_progress
from ghostdeploy.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    from ghostdeploy.report.latency.report import Report
    from ghostdeploy.schema import Comparison


@click.command()
@click.argument("targets", metavar="[MODEL|FILE]...", nargs=-1)
@model_options
@export_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def bench(targets: tuple[str, ...], as_json: bool, **o: Any) -> None:
    """Measure the latency of one or more models, interleaved in one session."""
    if is_emulated(o["device"]):
        return count_and_show(targets or ("ghostnetv2",), o, as_json)
    _measure(targets or ("ghostnetv2",), o, "Latency").show(o, as_json=as_json)


@click.command()
@click.option(
    "--models",
    "targets",
    default="",
    help="Models or files, with commas; the first is the ratio's base. Table 1 by default.",
)
@click.option("--precisions", help="Of one model, with commas, e.g. fp32,fp16,dynamic,int8.")
@click.option("--data", type=Path, help="Labelled images, for the accuracy of each precision.")
@model_options
@export_options
@calibration_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def compare(
    targets: str, precisions: str | None, data: Path | None, as_json: bool, **o: Any
) -> None:
    """The paper's Table 1: GhostNet, + self-attention, + DFC; export, measure, report.

    With --precisions, one model in each of them: is it worth it?
    """
    if precisions:
        from ghostdeploy.cli.precisions import compare_precisions

        return compare_precisions(targets or "ghostnetv2", precisions, data, as_json, o)
    from ghostdeploy.commands.compare import NOTES, TABLE_1

    names = tuple(t.strip() for t in targets.split(",") if t.strip()) or TABLE_1
    title = "Comparison" if targets else "GhostNet, + self-attention, + DFC attention (Table 1)"
    if is_emulated(o["device"]):
        return count_and_write(names, o, title, as_json)
    _measure(names, o, title, NOTES).show(o, as_json=as_json, stem=f"compare-{stamp()}")


@click.command()
@click.argument("records", type=Path, nargs=-1)
@click.option("--history", type=Path, metavar="FILE", help="Draw the trend of gates instead.")
@click.option("--title", default="", help="Latency, or Instructions, by default.")
@click.option("--out", type=Path, default=Path("reports"), show_default=True)
@click.option("--name", default="", help="Of the files, without ending; the date by default.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def report(
    records: tuple[Path, ...],
    history: Path | None,
    title: str,
    out: Path,
    name: str,
    as_json: bool,
) -> None:
    """Make the report anew from RECORDS; the first is the ratio's base.

    With --history reports/gate-history.jsonl: how the gates went, per device.
    """
    if bool(records) == bool(history):
        raise UsageError("report takes RECORDS, or --history FILE")
    if history:
        return _write_history(history, out, name or "gate-history", as_json)
    from ghostdeploy.commands.compare import NOTES, comparisons
    from ghostdeploy.records import read_record
    from ghostdeploy.report.latency.report import Report

    read = [read_record(path) for path in records]
    if any(record.instructions for record in read):
        return write_counts(
            read, out, title or "Instructions", name or f"report-{stamp()}", as_json
        )
    rows = comparisons(read)
    written = _write(
        Report(title or "Latency", tuple(rows), NOTES), out, name or f"report-{stamp()}"
    )
    if as_json:
        return emit_json(_summary(rows, written))
    click.echo("\n".join(f"wrote {path}" for path in written))


def _write_history(log: Path, out: Path, stem: str, as_json: bool) -> None:
    from ghostdeploy.commands.gate.history import read
    from ghostdeploy.files import write_atomic
    from ghostdeploy.quiet import captured
    from ghostdeploy.report.gate.history_page import render

    runs, skipped = read(log)
    with captured():
        pages = render(runs, skipped, stem)
    for page, content in pages.items():
        write_atomic(out / page, content)
    if as_json:
        return emit_json({"files": [str(out / page) for page in pages], "gates": runs})
    click.echo("\n".join(f"wrote {out / page}" for page in pages))


def _measure(
    names: Sequence[str], o: dict[str, Any], title: str, notes: tuple[str, ...] = ()
) -> Measured:
    from ghostdeploy.commands import compare as command
    from ghostdeploy.commands.bench import bench as run_session
    from ghostdeploy.commands.bench import file_safe
    from ghostdeploy.commands.places import check, measure_at, places
    from ghostdeploy.commands.targets import parse_subject
    from ghostdeploy.report.latency.report import Report

    params, defaults = bench_params(o), spec_defaults(o)
    targets = [parse_subject(name, defaults) for name in names]
    format_ = "onnx" if params.runtime == "onnxruntime" else "tflite"
    found = places(o["device"], o["cpus"], o["adb"])
    with_progress(lambda p: check(found, params, access(o, p.tell)))
    subjects = with_progress(
        lambda p: command.prepare(targets, lambda spec: export_request(o, spec, (format_,)), p)
    )
    artifacts, titles = [s.artifact for s in subjects], [s.title for s in subjects]
    outcomes = with_progress(
        lambda p: measure_at(
            found,
            params,
            access(o, p.tell),
            p,
            lambda runner, given, progress: run_session(
                artifacts, runner, given, o["records"], progress, resume=o["resume"]
            ),
        )
    )
    several = len(found) > 1
    reports, errors = {}, []
    for outcome in outcomes:
        name = "-".join(filter(None, (outcome.place.device, outcome.place.cpus)))
        if outcome.result is None:
            errors.append(f"{name}: {outcome.error}")
            continue
        rows = command.comparisons(outcome.result, titles)
        full = f"{title}: {name}" if several else title
        reports[file_safe(name) if several else ""] = Report(full, tuple(rows), notes)
    return Measured(reports, tuple(errors), len(found))


@dataclass(frozen=True)
class Measured:
    """A report a place, by what to add to file names; the places that failed, of how many."""

    reports: dict[str, Report]
    errors: tuple[str, ...]
    places: int

    def show(self, o: dict[str, Any], *, as_json: bool, stem: str = "") -> None:
        """Print, and with ``stem`` write, what was measured; then tell what was not."""
        from ghostdeploy.report.latency.formats.text import render_text

        rows: list[Comparison] = []
        written: list[Path] = []
        for name, report in self.reports.items():
            rows += report.comparisons
            if stem:
                written += _write(report, o["records"], "-".join(filter(None, (stem, name))))
            if not as_json:
                click.echo(render_text(report))
        if as_json:
            emit_json(_summary(rows, written) | {"errors": list(self.errors)})
        elif self.reports:
            click.echo(f"records: {o['records']}")
            for path in written:
                click.echo(f"wrote {path}")
        if self.errors:
            count = f"{len(self.errors)} of {self.places} could not be measured"
            raise MeasurementError(f"{count}: {'; '.join(self.errors)}")


def _write(report: Any, out: Path, stem: str) -> list[Path]:
    from ghostdeploy.quiet import captured
    from ghostdeploy.report.latency.formats import write_report

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
