"""How measurements are printed, and written as reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.terminal import emit_json, say, show, stamp
from ghostdeploy.errors import GhostdeployError, MeasurementError
from ghostdeploy.files import write_atomic
from ghostdeploy.quiet import capture_output
from ghostdeploy.report.instructions import formats
from ghostdeploy.report.json_summary import summarize_instructions, summarize_latencies
from ghostdeploy.report.latency.formats import write_report
from ghostdeploy.report.latency.formats.text import compose
from ghostdeploy.report.latency.report import Report
from ghostdeploy.report.latency.trace import render_trace
from ghostdeploy.report.parts.grid import format_count
from ghostdeploy.report.parts.layout import hang, lay_out, safe
from ghostdeploy.report.parts.numbers import ABSENT, format_ratio

if TYPE_CHECKING:
    from ghostdeploy.commands.measure import Measurement
    from ghostdeploy.commands.precisions import PrecisionRow
    from ghostdeploy.decision.thresholds import ThresholdVerdict
    from ghostdeploy.report.instructions.tables import InstructionReport
    from ghostdeploy.schema import Comparison


def print_latencies(
    found: Measurement,
    title: str,
    records: Path,
    *,
    stem: str = "",
    trace: Path | None = None,
    as_json: bool,
) -> None:
    """Print, and with ``stem`` write, what was measured; then tell what was not.

    ``trace`` is the file that the operators' times go to. Raises MeasurementError where some place
    could not be measured at, some model not in peace, or no operator was timed for the trace.
    """
    rows: list[Comparison] = []
    written: list[Path] = []
    reports = found.report_latencies(title, noted=bool(stem))
    for name, report in reports.items():
        rows += report.comparisons
        if stem:
            written += write_latencies(report, records, "-".join(filter(None, (stem, name))))
        if not as_json:
            show(compose(report), "")
    untraced = write_trace(rows, trace, written) if trace else None
    if as_json:
        more = {"errors": list(found.failures), "skipped": list(found.skipped)}
        emit_json(summarize_written(rows, written) | more)
    elif reports:
        say(f"records: {records}")
        print_written(written)
    if found.failures:
        count = f"{len(found.failures)} of {len(found.outcomes)} could not be measured"
        raise MeasurementError(f"{count}: {'; '.join(found.failures)}")
    for report in reports.values():
        require_undisturbed(report.comparisons, records)
    if untraced:
        raise untraced


def require_undisturbed(rows: Sequence[Comparison], records: Path) -> None:
    """Raise MeasurementError where no launch of a model counts, with its record and the way on."""
    from ghostdeploy.commands.measure import describe_disturbed

    if told := describe_disturbed(rows, records):
        more = f" ({len(told) - 1} more like it)" if told[1:] else ""
        raise MeasurementError(told[0] + more)


def write_trace(
    rows: Sequence[Comparison], path: Path, written: list[Path]
) -> GhostdeployError | None:
    """Write the operators' times of all places as a trace, and add it to what was ``written``.

    What went wrong is returned, to be raised when everything that was measured has been told.
    """
    try:
        write_atomic(path, render_trace(rows))
    except GhostdeployError as error:
        return error
    written.append(path)
    return None


def write_latencies(report: Report, out: Path, stem: str) -> list[Path]:
    """Write a report in every format, and return the files."""
    with capture_output():
        return write_report(report, out, stem)


def print_written(paths: Sequence[Path]) -> None:
    """Tell the files that were written."""
    for path in paths:
        say(f"wrote {path}")


def summarize_written(rows: Sequence[Comparison], written: Sequence[Path]) -> dict[str, object]:
    """Return what ``--json`` tells of compared latencies and the files of their reports."""
    return {"files": [str(path) for path in written], "models": summarize_latencies(rows)}


def print_instructions(report: InstructionReport, records: Path, *, as_json: bool) -> None:
    """Print the instructions of an emulated core, and where the records are."""
    if as_json:
        return emit_json({"models": summarize_instructions(report.comparisons)})
    show(formats.compose(report), "")
    say(f"records: {records}; for the operators: ghostdeploy report RECORD…")


def write_instructions(report: InstructionReport, out: Path, stem: str, *, as_json: bool) -> None:
    """Write a report of instructions in every format, and print it."""
    written = formats.write_instructions(report, out, stem)
    if as_json:
        return emit_json(
            {
                "files": [str(path) for path in written],
                "models": summarize_instructions(report.comparisons),
                "skipped": list(report.skipped),
            }
        )
    show(formats.compose(report), "")
    print_written(written)


def print_precisions(
    rows: Sequence[PrecisionRow],
    report: Report,
    records: Path,
    limits: Mapping[str, ThresholdVerdict],
    *,
    trace: Path | None = None,
    as_json: bool,
) -> None:
    """Write the report of several precisions of one model, and print each one's verdict.

    ``limits`` says of each one by its name whether it keeps those that were set. Raises
    MeasurementError where no launch of one counts, or no operator was timed for the trace.
    """
    written = write_latencies(report, records, f"compare-{stamp()}")
    untraced = write_trace(report.comparisons, trace, written) if trace else None
    if as_json:
        emit_json([_plain(row) | _kept(row, limits) for row in rows])
    else:
        _print_table(rows)
        show("")
        print_written(written)
    if untraced:
        raise untraced
    require_undisturbed([row.latency for row in rows], records)


def _plain(row: PrecisionRow) -> dict[str, object]:
    return {
        **vars(row),
        "latency": {
            "latency_ms": row.latency.latency_ms,
            "ratio": row.latency.ratio,
            "disturbed": row.latency.disturbed,
            "evidence": row.latency.record.evidence,
        },
    }


def _kept(row: PrecisionRow, limits: Mapping[str, ThresholdVerdict]) -> dict[str, object]:
    return {"limits": limits[row.precision]} if row.precision in limits else {}


def _print_table(rows: Sequence[PrecisionRow]) -> None:
    header = ("precision", "MB", "time", "partitions", "SNR dB", "same answer", "top-1")
    show(lay_out(header, map(_cells, rows), range(1, len(header))), "")
    for row in rows:
        show(hang(f"{row.precision}: ", safe(row.verdict)))
        if row.latency.advice:
            show(hang("  ", safe(row.latency.advice)))


def _cells(row: PrecisionRow) -> tuple[str, ...]:
    error, top1 = row.error, row.accuracy
    return (
        row.precision,
        f"{row.size_mb:.2f}",
        format_ratio(row.latency.ratio),
        format_count(row.kernels),
        f"{error.snr_db:.1f}" if error else ABSENT,
        f"{error.top1_agreement:.1%}" if error else ABSENT,
        f"{100 * top1.top1.value:.2f} %" if top1 else ABSENT,
    )
