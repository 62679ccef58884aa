"""How measurements are printed, and written as reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.terminal import emit_json, stamp
from ghostdeploy.errors import MeasurementError
from ghostdeploy.files import write_atomic
from ghostdeploy.quiet import capture_output
from ghostdeploy.report.instructions import formats
from ghostdeploy.report.json_summary import summarize_instructions, summarize_latencies
from ghostdeploy.report.latency.formats import write_report
from ghostdeploy.report.latency.formats.text import render_text
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.trace import render_trace

if TYPE_CHECKING:
    from ghostdeploy.commands.measure import Measurement
    from ghostdeploy.commands.precisions import PrecisionRow
    from ghostdeploy.report.instructions.tables import InstructionReport
    from ghostdeploy.schema import Comparison


def print_latencies(
    found: Measurement,
    title: str,
    records: Path,
    *,
    notes: tuple[str, ...] = (),
    stem: str = "",
    trace: Path | None = None,
    as_json: bool,
) -> None:
    """Print, and with ``stem`` write, what was measured; then tell what was not.

    ``trace`` is the file that the operators' times go to. Raises MeasurementError where some place
    could not be measured at, or no operator was timed for the trace.
    """
    rows: list[Comparison] = []
    written: list[Path] = []
    reports = found.report_latencies(title, notes)
    for name, report in reports.items():
        rows += report.comparisons
        if stem:
            written += write_latencies(report, records, "-".join(filter(None, (stem, name))))
        if not as_json:
            click.echo(render_text(report))
    if trace:
        written.append(write_trace(rows, trace))
    if as_json:
        emit_json(summarize_written(rows, written) | {"errors": list(found.failures)})
    elif reports:
        click.echo(f"records: {records}")
        print_written(written)
    if found.failures:
        count = f"{len(found.failures)} of {len(found.outcomes)} could not be measured"
        raise MeasurementError(f"{count}: {'; '.join(found.failures)}")


def write_trace(rows: Sequence[Comparison], path: Path) -> Path:
    """Write the operators' times of all places as a trace. Raises MeasurementError without any."""
    write_atomic(path, render_trace(rows))
    return path


def write_latencies(report: Report, out: Path, stem: str) -> list[Path]:
    """Write a report in every format, and return the files."""
    with capture_output():
        return write_report(report, out, stem)


def print_written(paths: Sequence[Path]) -> None:
    """Tell the files that were written."""
    for path in paths:
        click.echo(f"wrote {path}")


def summarize_written(rows: Sequence[Comparison], written: Sequence[Path]) -> dict[str, object]:
    """Return what ``--json`` tells of compared latencies and the files of their reports."""
    return {"files": [str(path) for path in written], "models": summarize_latencies(rows)}


def print_instructions(report: InstructionReport, records: Path, *, as_json: bool) -> None:
    """Print the instructions of an emulated core, and where the records are."""
    if as_json:
        return emit_json({"models": summarize_instructions(report.comparisons)})
    click.echo(formats.render_text(report))
    click.echo(f"records: {records}; for the operators: ghostdeploy report RECORD…")


def write_instructions(report: InstructionReport, out: Path, stem: str, *, as_json: bool) -> None:
    """Write a report of instructions in every format, and print it."""
    written = formats.write_instructions(report, out, stem)
    if as_json:
        files = [str(path) for path in written]
        return emit_json({"files": files, "models": summarize_instructions(report.comparisons)})
    click.echo(formats.render_text(report))
    print_written(written)


def print_precisions(
    rows: Sequence[PrecisionRow],
    report: Report,
    records: Path,
    *,
    trace: Path | None = None,
    as_json: bool,
) -> None:
    """Write the report of several precisions of one model, and print each one's verdict."""
    written = write_latencies(report, records, f"compare-{stamp()}")
    if trace:
        written.append(write_trace(report.comparisons, trace))
    if as_json:
        return emit_json([_plain(row) for row in rows])
    _print_table(rows)
    click.echo("")
    print_written(written)


def _plain(row: PrecisionRow) -> dict[str, object]:
    return {
        **vars(row),
        "latency": {
            "latency_ms": row.latency.latency_ms,
            "ratio": row.latency.ratio,
            "evidence": row.latency.record.evidence,
        },
    }


def _print_table(rows: Sequence[PrecisionRow]) -> None:
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
