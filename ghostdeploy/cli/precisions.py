"""What ``ghostdeploy compare --precisions`` does and prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.options import (
    access,
    bench_params,
    export_request,
    quantize_options,
    spec_defaults,
)
from ghostdeploy.cli.terminal import emit_json, stamp, with_progress
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.compare import Subject
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.precisions import Row
    from ghostdeploy.schema import ModelSpec


def compare_precisions(
    model: str, precisions: str, labelled_images: Path | None, as_json: bool, o: dict[str, Any]
) -> None:
    """Export ``model`` in every precision, measure all in one session, judge each."""
    from ghostdeploy.commands import compare, eval
    from ghostdeploy.commands import precisions as command
    from ghostdeploy.commands.bench import bench
    from ghostdeploy.commands.places import check, measure_at, places
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.images.labelled import read_labelled
    from ghostdeploy.images.preprocessing import Preprocessing
    from ghostdeploy.quantize import recipe
    from ghostdeploy.quantize.calibration import gather
    from ghostdeploy.quiet import captured
    from ghostdeploy.report.latency.formats import write_report
    from ghostdeploy.report.latency.report import Report

    names = [name.strip() for name in precisions.split(",") if name.strip()]
    params = bench_params(o)
    format_ = "onnx" if params.runtime == "onnxruntime" else "tflite"
    for name in names:
        if format_ not in recipe(name).formats:
            raise UsageError(f"{name} is no {format_} file; leave it out, or change --runtime")
    spec = parse_target(model, spec_defaults(o))
    if isinstance(spec, Path):
        raise UsageError(f"--precisions takes one model of the zoo, not {spec}")
    options = quantize_options(o)
    data = read_labelled(labelled_images) if labelled_images else None
    where = places(o["device"], o["cpus"], o["adb"])
    if len(where) > 1:
        raise UsageError("--precisions takes one device and one cluster of it")
    with_progress(lambda p: check(where, params, access(o, p.tell)))
    subjects = [_prepared(spec, name, format_, o) for name in names]
    artifacts = [subject.artifact for subject in subjects]
    (outcome,) = with_progress(
        lambda p: measure_at(
            where,
            params,
            access(o, p.tell),
            p,
            lambda runner, given, progress: bench(
                artifacts, runner, given, o["records"], progress, resume=o["resume"]
            ),
        )
    )
    compared = compare.comparisons(outcome.result or [], names)
    with captured():
        how = Preprocessing(spec.resolution, crop=options.crop)
        images = gather(options, how)
        judged = None
        if data:
            files = [eval.open_classifier(Path(s.artifact.path), options.crop) for s in subjects]
            judged = eval.evaluate(
                eval.EvalRequest(tuple(files), data, o["records"], base=files[0].name)
            )
        rows = command.rows(
            names,
            compared,
            images,
            judged.accuracies if judged else (),
            judged.paired if judged else (),
        )
        verdicts = tuple(f"{row.precision}: {row.verdict}" for row in rows)
        report = Report(f"{spec.name} in {precisions}", tuple(compared), verdicts)
        written = write_report(report, o["records"], f"compare-{stamp()}")
    if as_json:
        return emit_json([_plain(row) for row in rows])
    _tell(rows)
    click.echo("\n".join(["", *(f"wrote {path}" for path in written)]))


def _prepared(spec: ModelSpec, precision: str, format_: str, o: dict[str, Any]) -> Subject:
    from ghostdeploy.commands import compare

    def request(wanted: ModelSpec) -> ExportRequest:
        return export_request(o | {"precision": precision}, wanted, (format_,))

    return with_progress(lambda p: compare.prepare([spec], request, p))[0]


def _plain(row: Row) -> dict[str, object]:
    return {
        **vars(row),
        "latency": {
            "latency_ms": row.latency.latency_ms,
            "ratio": row.latency.ratio,
            "evidence": row.latency.record.evidence,
        },
    }


def _tell(rows: Sequence[Row]) -> None:
    click.echo(
        f"{'precision':14} {'MB':>6}  {'time':18} {'partitions':>10}"
        f"  {'SNR dB':>6}  {'same answer':>11}  top-1"
    )
    for row in rows:
        ratio, error, top1 = row.latency.ratio, row.error, row.accuracy
        time = f"{ratio.value:.2f} [{ratio.lower:.2f}, {ratio.upper:.2f}]" if ratio else "?"
        same = f"{error.top1_agreement:.1%}" if error else "—"
        snr = f"{error.snr_db:.1f}" if error else "—"
        kernels = "—" if row.kernels is None else str(row.kernels)
        right = f"{100 * top1.top1.value:.2f} %" if top1 else "—"
        click.echo(
            f"{row.precision:14} {row.size_mb:6.2f}  {time:18} {kernels:>10}"
            f"  {snr:>6}  {same:>11}  {right}"
        )
    click.echo("")
    for row in rows:
        click.echo(f"{row.precision}: {row.verdict}")
        if row.latency.advice:
            click.echo(f"  {row.latency.advice}")
