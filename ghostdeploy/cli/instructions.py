"""What ``bench``, ``compare`` and ``report`` do with an emulated core: instructions, no times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.options import bench_params, export_request, spec_defaults
from ghostdeploy.cli.terminal import emit_json, stamp, with_progress

if TYPE_CHECKING:
    from ghostdeploy.report.instructions.tables import InstructionReport
    from ghostdeploy.schema import BenchRecord


def is_emulated(device: str) -> bool:
    return device.partition(":")[0] == "qemu"


def count_and_show(names: Sequence[str], o: dict[str, Any], as_json: bool) -> None:
    from ghostdeploy.report.instructions.formats import render_text
    from ghostdeploy.report.json_summary import summarise_instructions

    report = _counted(names, o, "Instructions of one inference")
    if as_json:
        return emit_json({"models": summarise_instructions(report.comparisons)})
    click.echo(render_text(report))
    click.echo(f"records: {o['records']}; for the operators: ghostdeploy report RECORD…")


def count_and_write(names: Sequence[str], o: dict[str, Any], title: str, as_json: bool) -> None:
    _write(_counted(names, o, title), o["records"], f"compare-{stamp()}", as_json)


def write_counts(
    records: Sequence[BenchRecord], out: Path, title: str, name: str, as_json: bool
) -> None:
    """Raises UsageError where times are among the records."""
    from ghostdeploy.commands.count import compare_counts
    from ghostdeploy.report.instructions.tables import InstructionReport

    rows = tuple(compare_counts(records))
    _write(InstructionReport(title, rows), out, name, as_json)


def _counted(names: Sequence[str], o: dict[str, Any], title: str) -> InstructionReport:
    from ghostdeploy.commands.compare import prepare
    from ghostdeploy.commands.count import compare_counts, count
    from ghostdeploy.commands.targets import parse_subject
    from ghostdeploy.report.instructions.tables import InstructionReport
    from ghostdeploy.runners import open_runner

    params, defaults = bench_params(o), spec_defaults(o)
    targets = [parse_subject(name, defaults) for name in names]
    runner = open_runner(o["device"], params)
    try:
        subjects = with_progress(
            lambda p: prepare(targets, lambda spec: export_request(o, spec, ("tflite",)), p)
        )
        artifacts = [s.artifact for s in subjects]
        records = with_progress(lambda p: count(artifacts, runner, params, o["records"], p))
    finally:
        runner.close()
    return InstructionReport(title, tuple(compare_counts(records, [s.title for s in subjects])))


def _write(report: InstructionReport, out: Path, stem: str, as_json: bool) -> None:
    from ghostdeploy.report.instructions.formats import render_text, write_instructions
    from ghostdeploy.report.json_summary import summarise_instructions

    written = write_instructions(report, out, stem)
    if as_json:
        files = [str(path) for path in written]
        return emit_json({"files": files, "models": summarise_instructions(report.comparisons)})
    click.echo(render_text(report))
    click.echo("\n".join(f"wrote {path}" for path in written))
