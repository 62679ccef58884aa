"""How a gate's verdict is printed, written and turned into an exit code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.streams import ReaderGone
from ghostdeploy.cli.terminal import MAX_LINE, emit_json, show
from ghostdeploy.errors import (
    CheckFailed,
    GhostdeployError,
    MeasurementError,
    UsageError,
    error_line,
)
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.report.gate import wording
from ghostdeploy.report.gate.formats import render
from ghostdeploy.report.gate.formats.text import compose
from ghostdeploy.report.parts.clean_text import clean

if TYPE_CHECKING:
    from ghostdeploy.cli.gate_arguments import GateArguments
    from ghostdeploy.commands.gate.baselines import DeviceCalibration
    from ghostdeploy.decision import GatePolicy
    from ghostdeploy.decision.outcome import GateRun


def check_outputs(arguments: GateArguments) -> None:
    """Make sure, before minutes go by, that what is written afterwards can be.

    Raises UsageError for a place that cannot be written to, and OutputError for a full disk.
    """
    from ghostdeploy.commands.gate.history import check_history

    for _, path in _asked_files(arguments):
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder; name a file in it")
        ensure_writable(path.parent)
    check_history(arguments.output.history)
    ensure_writable(arguments.launch.records)


@contextmanager
def only_verdicts_say_no() -> Iterator[None]:
    """Raise a check that said no, as of a network that was exported, as a gate not measured.

    The exit code 1 of a gate says that the candidate got slower, and nothing else.
    """
    try:
        yield
    except CheckFailed as error:
        raise MeasurementError(f"nothing was measured: {error}", log=error.log) from error


def keep_run(history: Path, run: GateRun) -> None:
    """Add a gate to the history. One that cannot be kept is told of: its verdict stands."""
    from ghostdeploy.commands.gate.history import append_run

    with _telling("the history"):
        append_run(history, run)


def tell_verdicts(
    runs: Sequence[GateRun], failures: Sequence[GhostdeployError], arguments: GateArguments
) -> None:
    """Print and write what was found; the exit code is the verdict's, whatever cannot be written.

    ``failures`` are of gates of a suite that could not be run. Raises CheckFailed for a
    regression, MeasurementError for what could not be told, and the first of the failures where
    all else is well.
    """
    if not runs:
        raise failures[0]
    verdict, as_json = wording.combine_runs(runs), arguments.as_json
    with _telling("the verdict"):
        if as_json:
            errors = [str(failure) for failure in failures]
            suite = {"verdict": verdict, "gates": runs, "errors": errors}
            emit_json(suite if arguments.suite else runs[0])
        else:
            show(compose(runs))
    for format_, path in _asked_files(arguments):
        with _telling(str(path)):
            write_atomic(path, render(runs, format_))
    _tell_github(runs, as_json=as_json)
    for failure in failures:
        click.echo(f"a gate could not be run: {clean(failure, MAX_LINE)}", err=True)
    several = f"{verdict}: {wording.count_verdicts(runs)}"
    said = wording.headline(runs[0]) if len(runs) == 1 else several
    if verdict.exit_code == 1:
        raise CheckFailed(said)
    if failures:
        raise failures[0]
    if verdict.exit_code:
        raise MeasurementError(said)


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Tell in one line what went wrong in the block, and go on: a verdict is not lost by it."""
    try:
        yield
    except ReaderGone:
        pass
    except Exception as error:
        reason = error_line(error, 300)
        click.echo(f"warning: {what} could not be written: {reason}", err=True)


def describe_resolution(calibration: DeviceCalibration, policy: GatePolicy) -> str:
    """Return what a calibration means for gates on its device."""
    least = policy.tolerance + calibration.resolution
    return (
        f"{calibration.device}: launches vary by {calibration.noise:.2%} over"
        f" {calibration.valid_pairs} pairs of one file with itself.\n"
        f"It resolves ≥ {calibration.resolution:.1%} beyond the tolerance of"
        f" {policy.tolerance:.1%}: {least:.1%} slower is caught nine times in ten."
    )


def _asked_files(arguments: GateArguments) -> list[tuple[str, Path]]:
    """Return format and path of each file that the user asked for."""
    output = arguments.output
    files = (("junit", output.junit), ("markdown", output.markdown), ("badge", output.badge))
    return [(format_, path) for format_, path in files if path]


def _tell_github(runs: Sequence[GateRun], *, as_json: bool) -> None:
    """Annotate, summarize and set the step's output, where this is a GitHub action."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        with _telling("GitHub's annotation"):
            click.echo(render(runs, "github"), nl=False, err=as_json)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with _telling("$GITHUB_STEP_SUMMARY"):
            _append(Path(summary), render(runs, "markdown"))
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        with _telling("$GITHUB_OUTPUT"):
            _append(Path(outputs), f"verdict={wording.combine_runs(runs)}\n")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
