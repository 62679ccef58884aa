"""``ghostdeploy gate`` and ``ghostdeploy gate accept``."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghostdeploy.cli.gate_options import gate_options, measuring_options, policy_of
from ghostdeploy.cli.gate_request import accepted_of, artifact_of, gate_request, params_of, wait_s
from ghostdeploy.cli.options import model_options
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, with_progress
from ghostdeploy.errors import CheckFailed, MeasurementError, UsageError

if TYPE_CHECKING:
    from ghostdeploy.gate import GatePolicy
    from ghostdeploy.gate.outcome import GateRun

BASELINE_HELP = "A model, or an accepted baseline; none for budgets alone."


@click.group(invoke_without_command=True)
@click.option("--baseline", default="", metavar="FILE", help=BASELINE_HELP)
@click.option("--candidate", default="", metavar="FILE|MODEL", help="What may have got slower.")
@gate_options
@model_options
@measuring_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_context
def gate(context: click.Context, /, **o: Any) -> None:
    """Fail if CANDIDATE is slower than BASELINE on this device, and only then.

    Exit codes: 0 pass or improved, 1 regressed, 3 inconclusive or invalid, 2 usage. Without
    --baseline the accepted one of the device counts. See docs/gate.md.
    """
    if context.invoked_subcommand:
        given = [f"--{p}".replace("_", "-") for p in context.params if _given(context, p)]
        if given:
            raise UsageError(f"{given[0]} belongs behind {context.invoked_subcommand}")
        return
    explicit = {name for name in context.params if _given(context, name)}
    if o["calibrate"]:
        return _calibrate(o)
    runs = _suite(o, explicit) if o["suite"] else [_gate(o, explicit)]
    _tell(runs, o)


@gate.command()
@click.argument("model", metavar="FILE|MODEL")
@click.option("--name", default="", help="Of the baseline; the model's by default.")
@click.option("--url", default="", help="Where the file lies, if not in the repository.")
@click.option("--reason", default="", help="Why, for those who read it later.")
@click.option("--baselines", type=Path, default=Path("reports/baselines"), show_default=True)
@click.option("--wait", default=60.0, show_default=True, help="Minutes to queue for the device.")
@model_options
@measuring_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def accept(model: str, **o: Any) -> None:
    """From now on, this model is the baseline on this device."""
    from ghostdeploy.commands.gate.accept import Acceptance
    from ghostdeploy.commands.gate.accept import accept as command

    params = params_of(o)
    request = Acceptance(
        model=artifact_of(model, o, params),
        device=o["device"],
        params=params,
        name=o["name"],
        url=o["url"],
        reason=o["reason"],
        root=o["baselines"],
        wait_s=wait_s(o),
        adb=o["adb"],
    )
    done = with_progress(lambda p: command(request, p))
    if o["as_json"]:
        return emit_json({"file": str(done.path), "baseline": done.baseline})
    was = f", in place of {done.replaced.sha256[:12]}…" if done.replaced else ""
    click.echo(f"accepted {request.model.path} (sha256 {done.baseline.sha256[:12]}…{was})")
    click.echo(f"wrote {done.path}; commit it with the model")


def _given(context: click.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")


def _gate(o: dict[str, Any], explicit: set[str], time_s: float = math.inf) -> GateRun:
    """One gate, measured again while it is invalid and ``--retry-invalid`` allows."""
    from ghostdeploy.commands.gate import history
    from ghostdeploy.commands.gate.counted import is_counted, run_counted
    from ghostdeploy.commands.gate.run import run_gate

    request = gate_request(o, explicit, time_s)
    judge = run_counted if is_counted(request.device) else run_gate
    for left in range(o["retry_invalid"], -1, -1):
        run = with_progress(lambda p: judge(request, p))
        history.append(o["history"], run)
        if run.verdict != "invalid" or not left:
            break
        click.echo(f"invalid: {run.why}; measuring again", err=True)
    return run


def _suite(o: dict[str, Any], explicit: set[str]) -> list[GateRun]:
    from ghostdeploy.commands.gate import history
    from ghostdeploy.commands.gate.suite import most_informative_first, name_of, read_suite

    for name in ("baseline", "candidate"):
        if o[name]:
            raise UsageError(f"--{name} and --suite exclude each other: write it into the suite")
    suite = read_suite(o["suite"])
    past = history.past(o["history"])
    minutes = o["time_budget"]
    limit_s = 60 * minutes if "time_budget" in explicit else suite.time_s or math.inf
    end_s, runs = time.monotonic() + limit_s, []
    for options in most_informative_first(suite.gates, past, o["device"]):
        merged = {**o, **_as_options(options), "name": name_of(options)}
        left_s = end_s - time.monotonic()
        runs.append(_gate(merged, explicit | options.keys(), max(0.0, left_s)))
    return runs


def _as_options(gate: Any) -> dict[str, Any]:
    """A suite's values in the shapes that click gives."""
    o = dict(gate)
    if "looks" in o:
        o["looks"] = ",".join(map(str, o["looks"]))
    if "max_ratio" in o:
        o["max_ratio"] = tuple(f"{name}={limit}" for name, limit in o["max_ratio"].items())
    for name in ("tolerance", "delta", "alpha", "screen", "resolution"):
        if name in o:
            o[name] = str(o[name])
    if "weights" in o:
        o["weights"] = Path(o["weights"])
    return o


def _calibrate(o: dict[str, Any]) -> None:
    from ghostdeploy.commands.gate import history
    from ghostdeploy.commands.gate.baselines import model_of
    from ghostdeploy.commands.gate.calibrate import calibrate
    from ghostdeploy.commands.gate.request import GateRequest

    policy, model = policy_of(o), o["baseline"] or o["candidate"]
    accepted, path = accepted_of({**o, "baseline": model}, has_budgets=False)
    params = accepted.params if accepted else params_of(o)
    artifact = model_of(accepted, path) if accepted and path else artifact_of(model, o, params)
    request = GateRequest(
        device=o["device"],
        params=params,
        candidate=artifact,
        baseline=artifact,
        accepted=accepted,
        policy=policy,
        name="calibration",
        out=o["records"],
        wait_s=wait_s(o),
        adb=o["adb"],
    )
    found = with_progress(lambda p: calibrate(request, o["baselines"], p))
    history.append(o["history"], found.run)
    if o["as_json"]:
        emit_json({"calibration": found.calibration, "run": found.run, "file": str(found.path)})
    else:
        click.echo(_resolves(found.calibration, policy))
        click.echo(f"wrote {found.path}")
    if not found.decides:
        raise MeasurementError(f"{o['device']} is too noisy for delta {policy.delta:.1%}")


def _resolves(calibration: Any, policy: GatePolicy) -> str:
    least = policy.tolerance + calibration.resolution
    return (
        f"{calibration.device}: launches vary by {calibration.noise:.2%} over"
        f" {calibration.valid_pairs} pairs of one file with itself.\n"
        f"It resolves ≥ {calibration.resolution:.1%} beyond the tolerance of"
        f" {policy.tolerance:.1%}: {least:.1%} slower is caught nine times in ten."
    )


def _tell(runs: Sequence[GateRun], o: dict[str, Any]) -> None:
    """Print and write what was found; the exit code is the verdict's."""
    from ghostdeploy.files import write_atomic
    from ghostdeploy.report.gate import wording
    from ghostdeploy.report.gate.formats import render

    if o["as_json"]:
        whole = {"verdict": wording.combine_runs(runs), "gates": runs}
        emit_json(whole if o["suite"] else runs[0])
    else:
        click.echo(render(runs, "text"), nl=False)
    for name in ("junit", "markdown", "badge"):
        if o[name]:
            write_atomic(o[name], render(runs, name))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(render(runs, "github"), nl=False, err=o["as_json"])
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(summary), render(runs, "markdown"))
    verdict = wording.combine_runs(runs)
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        _append(Path(outputs), f"verdict={verdict}\n")
    said = (
        wording.headline(runs[0])
        if len(runs) == 1
        else f"{verdict}: {wording.count_verdicts(runs)}"
    )
    if verdict.exit_code == 1:
        raise CheckFailed(said)
    if verdict.exit_code:
        raise MeasurementError(said)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
