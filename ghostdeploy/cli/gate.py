"""``ghostdeploy gate`` and ``ghostdeploy gate accept``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.gate_arguments import AcceptArguments, GateArguments
from ghostdeploy.cli.options.arguments import (
    convert_values,
    given_names,
    pass_arguments,
    replace_arguments,
)
from ghostdeploy.cli.options.help import HeadedGroup
from ghostdeploy.cli.terminal import ProgressLine, emit_json, progress_line, say, show
from ghostdeploy.errors import GhostdeployError, MeasurementError, UsageError
from ghostdeploy.progress import Progress, divide

if TYPE_CHECKING:
    from ghostdeploy.commands.gate.request import GateRequest
    from ghostdeploy.commands.gate.suite import SuiteGate
    from ghostdeploy.decision.outcome import GateRun

PARTS = (1.0, 3.0)  # of the time: opening or exporting the models, and measuring them


@click.group(cls=HeadedGroup, invoke_without_command=True)
@pass_arguments(GateArguments)
def gate(arguments: GateArguments) -> None:
    """Fail if CANDIDATE is slower than BASELINE on this device.

    It fails then only. Exit codes: 0 pass or improved, 1 regressed, 3 inconclusive or invalid,
    2 usage. Without --baseline the one that is accepted on the device counts. See docs/gate.md.
    """
    from ghostdeploy.cli.verdicts import check_outputs, only_verdicts_say_no, tell_verdicts

    context = click.get_current_context()
    given = given_names(context)
    if context.invoked_subcommand:
        names = [f"--{name}".replace("_", "-") for name in context.params if name in given]
        if names:
            raise UsageError(f"{names[0]} belongs behind {context.invoked_subcommand}")
        return
    check_outputs(arguments)
    if arguments.calibrate:
        with only_verdicts_say_no():
            return _calibrate(arguments, given)
    with progress_line() as line:
        if arguments.suite:
            runs, failures = _run_suite(arguments, given, context, line)
        else:
            runs, failures = [_run(arguments.request(given), arguments, line, line.tell)], []
    tell_verdicts(runs, failures, arguments)


@gate.command()
@pass_arguments(AcceptArguments)
def accept(arguments: AcceptArguments) -> None:
    """Make MODEL the baseline on this device from now on."""
    from ghostdeploy.cli.verdicts import only_verdicts_say_no
    from ghostdeploy.commands.gate.accept import accept as accept_baseline

    with only_verdicts_say_no(), progress_line() as progress:
        done = accept_baseline(arguments.request(), progress)
    if arguments.as_json:
        return emit_json({"file": str(done.path), "baseline": done.baseline})
    old = done.replaced
    was = f", in place of {old.path or old.url} {old.sha256[:12]}…" if old else ""
    say(f"accepted {done.model} (sha256 {done.baseline.sha256[:12]}…{was})")
    say(f"wrote {done.path}; commit it with the model")


def _run(
    request: GateRequest, arguments: GateArguments, progress: Progress, tell: Callable[[str], None]
) -> GateRun:
    """Run one gate, and again while it is invalid and ``--retry-invalid`` allows."""
    from ghostdeploy.cli.verdicts import keep_run, only_verdicts_say_no
    from ghostdeploy.commands.gate.plan import plan_gate
    from ghostdeploy.commands.gate.run import run_gate

    planning, measuring = divide(progress, PARTS)
    with only_verdicts_say_no():
        plan = plan_gate(request, planning)
    for left in range(arguments.output.retry_invalid, -1, -1):
        with only_verdicts_say_no():
            run = run_gate(plan, measuring)
        keep_run(arguments.output.history, run)
        if run.verdict != "invalid" or not left:
            break
        tell(f"invalid: {run.why}; measuring again")
    return run


def _run_suite(
    arguments: GateArguments, given: frozenset[str], context: click.Context, line: ProgressLine
) -> tuple[list[GateRun], list[GhostdeployError]]:
    """Run a suite's gates, the most informative first, in the time that there is for all.

    What one of them asks in vain is a failure of its own: the others' verdicts stand. Raises
    UsageError for what no gate could be asked.
    """
    from ghostdeploy.commands.gate.history import read_past_runs
    from ghostdeploy.commands.gate.suite import order_by_interest, read_suite

    for name, value in (("baseline", arguments.baseline), ("candidate", arguments.candidate)):
        if value:
            raise UsageError(f"--{name} and --suite exclude each other: write it into the suite")
    assert arguments.suite
    suite = read_suite(arguments.suite)
    past = read_past_runs(arguments.output.history)
    minutes = arguments.time_budget
    limit_s = 60 * minutes if "time_budget" in given else suite.time_s or math.inf
    requests = [
        _suite_arguments(arguments, each, context).request(given | each.options.keys())
        for each in order_by_interest(suite.gates, past, arguments.launch.device)
    ]
    end_s, runs, failures = time.monotonic() + limit_s, [], []
    for request, progress in zip(requests, divide(line, [1.0] * len(requests)), strict=True):
        left_s = max(0.0, end_s - time.monotonic())
        try:
            runs.append(_run(replace(request, time_s=left_s), arguments, progress, line.tell))
        except GhostdeployError as error:
            failures.append(error)
    return runs, failures


def _suite_arguments(
    arguments: GateArguments, gate: SuiteGate, context: click.Context
) -> GateArguments:
    """Return the command line's arguments with those of one of a suite's gates over them."""
    options = {**gate.options, "name": gate.name}
    if isinstance(limits := options.get("max_ratio"), dict):
        options["max_ratio"] = tuple(limits.items())
    return replace_arguments(arguments, convert_values(context, options))


def _calibrate(arguments: GateArguments, given: frozenset[str]) -> None:
    from ghostdeploy.cli.verdicts import describe_resolution, keep_run
    from ghostdeploy.commands.gate.calibrate import calibrate
    from ghostdeploy.commands.gate.plan import plan_calibration
    from ghostdeploy.report.parts.layout import safe

    request = arguments.calibration_request()
    with progress_line() as progress:
        planning, measuring = divide(progress, PARTS)
        plan = plan_calibration(request, planning)
        found = calibrate(plan, request.baselines, measuring)
    keep_run(arguments.output.history, found.run)
    if arguments.as_json:
        emit_json({"calibration": found.calibration, "run": found.run, "file": str(found.path)})
    else:
        show(*map(safe, describe_resolution(found.calibration, plan.policy).split("\n")))
        say(f"wrote {found.path}")
    if not found.decides:
        raise MeasurementError(f"{plan.device} is too noisy for delta {plan.policy.delta:.1%}")
