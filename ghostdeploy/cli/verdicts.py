"""How a gate's verdict is printed, written and turned into an exit code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.terminal import emit_json, show
from ghostdeploy.errors import CheckFailed, MeasurementError, UsageError
from ghostdeploy.files import write_atomic
from ghostdeploy.report.gate import wording
from ghostdeploy.report.gate.formats import render
from ghostdeploy.report.gate.formats.text import compose

if TYPE_CHECKING:
    from ghostdeploy.cli.gate_arguments import GateArguments
    from ghostdeploy.commands.gate.baselines import DeviceCalibration
    from ghostdeploy.decision import GatePolicy
    from ghostdeploy.decision.outcome import GateRun


def tell_verdicts(runs: Sequence[GateRun], arguments: GateArguments) -> None:
    """Print and write what was found; the exit code is the verdict's.

    Raises CheckFailed for a regression, MeasurementError for what could not be told, and
    UsageError where something cannot be written.
    """
    verdict, as_json = wording.combine_runs(runs), arguments.as_json
    if as_json:
        emit_json({"verdict": verdict, "gates": runs} if arguments.suite else runs[0])
    else:
        show(compose(runs))
    _write_files(runs, arguments)
    _tell_github(runs, as_json=as_json)
    several = f"{verdict}: {wording.count_verdicts(runs)}"
    said = wording.headline(runs[0]) if len(runs) == 1 else several
    if verdict.exit_code == 1:
        raise CheckFailed(said)
    if verdict.exit_code:
        raise MeasurementError(said)


def describe_resolution(calibration: DeviceCalibration, policy: GatePolicy) -> str:
    """Return what a calibration means for gates on its device."""
    least = policy.tolerance + calibration.resolution
    return (
        f"{calibration.device}: launches vary by {calibration.noise:.2%} over"
        f" {calibration.valid_pairs} pairs of one file with itself.\n"
        f"It resolves ≥ {calibration.resolution:.1%} beyond the tolerance of"
        f" {policy.tolerance:.1%}: {least:.1%} slower is caught nine times in ten."
    )


def _write_files(runs: Sequence[GateRun], arguments: GateArguments) -> None:
    output = arguments.output
    files = (("junit", output.junit), ("markdown", output.markdown), ("badge", output.badge))
    for format_, path in files:
        if path:
            write_atomic(path, render(runs, format_))


def _tell_github(runs: Sequence[GateRun], *, as_json: bool) -> None:
    """Annotate, summarize and set the step's output, where this is a GitHub action."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(render(runs, "github"), nl=False, err=as_json)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(summary), render(runs, "markdown"))
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        _append(Path(outputs), f"verdict={wording.combine_runs(runs)}\n")


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
