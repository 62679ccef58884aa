"""``ghostdeploy report``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    folder,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.completions import complete_records
from ghostdeploy.cli.terminal import emit_json, say, stamp
from ghostdeploy.errors import UsageError


@dataclass(frozen=True)
class ReportArguments:
    """The arguments of ``ghostdeploy report``."""

    records: tuple[Path, ...] = argument(type=Path, nargs=-1, shell_complete=complete_records)
    history: Path | None = option(
        "--history",
        type=Path,
        metavar="FILE",
        help="Draw the trend of the gates in this history instead.",
    )
    title: str = option(
        "--title", default="", help="Title of the report; Latency, or Instructions, by default."
    )
    out: Path = folder("--out", "reports", "Folder that the report goes to.")
    name: str = option(
        "--name",
        default="",
        help="Name of the files, without their endings; made of the date by default.",
    )
    as_json: bool = json_flag()


@command()
@pass_arguments(ReportArguments)
def report(arguments: ReportArguments) -> None:
    """Make the report again from RECORDS alone.

    Ratios are to the first one. With --history reports/gate-history.jsonl it tells how the gates
    went, for each device.
    """
    if bool(arguments.records) == bool(arguments.history):
        raise UsageError("report takes RECORDS, or --history FILE")
    if arguments.history:
        return _report_history(arguments.history, arguments)
    from ghostdeploy.cli.measured import (
        print_written,
        summarize_written,
        write_instructions,
        write_latencies,
    )
    from ghostdeploy.commands.compare import choose_notes, compare_with_paper
    from ghostdeploy.commands.instructions import compare_instructions
    from ghostdeploy.records import read_record
    from ghostdeploy.report.instructions.tables import InstructionReport
    from ghostdeploy.report.latency.report import Report

    read = [read_record(path) for path in arguments.records]
    stem, title = arguments.name or f"report-{stamp()}", arguments.title
    if any(record.instructions for record in read):
        counted = InstructionReport(title or "Instructions", tuple(compare_instructions(read)))
        return write_instructions(counted, arguments.out, stem, as_json=arguments.as_json)
    rows = compare_with_paper(read)
    made = Report(title or "Latency", tuple(rows), choose_notes(rows))
    written = write_latencies(made, arguments.out, stem)
    if arguments.as_json:
        return emit_json(summarize_written(rows, written))
    print_written(written)


def _report_history(log: Path, arguments: ReportArguments) -> None:
    from ghostdeploy.commands.gate.history import read_history
    from ghostdeploy.files import write_atomic
    from ghostdeploy.quiet import capture_output
    from ghostdeploy.report.gate.history_page import render

    runs, skipped = read_history(log)
    with capture_output():
        pages = render(runs, skipped, arguments.name or "gate-history")
    for page, content in pages.items():
        write_atomic(arguments.out / page, content)
    files = [arguments.out / page for page in pages]
    if arguments.as_json:
        return emit_json({"files": [str(path) for path in files], "gates": runs})
    for path in files:
        say(f"wrote {path}")
