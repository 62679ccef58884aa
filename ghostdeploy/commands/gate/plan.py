"""From the options of ``ghostdeploy gate`` to what is asked for."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.cli.options.gate import BENCH_FIELDS, policy_of
from ghostdeploy.cli.options.measuring import bench_params, export_request, spec_defaults
from ghostdeploy.cli.terminal import with_progress
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.gate.baselines import Baseline
    from ghostdeploy.commands.gate.request import GateRequest
    from ghostdeploy.gate.budgets import Budget
    from ghostdeploy.schema import Artifact, BenchParams

NO_BASELINE = "none"  # as a --baseline: budgets alone
NO_DELTA = "0.9999"  # a policy wants its tolerance below delta, which a count has no use for


def gate_request(o: dict[str, Any], explicit: set[str], time_s: float) -> GateRequest:
    from ghostdeploy.commands.gate import baselines
    from ghostdeploy.commands.gate.instructions import is_counted
    from ghostdeploy.commands.gate.request import GateRequest
    from ghostdeploy.gate.instructions import DEFAULT_TOLERANCE

    if not o["candidate"]:
        raise UsageError("a gate needs a --candidate FILE or MODEL")
    if is_counted(o["device"]):  # exact: the tolerance decides alone, and may be any
        given = {"tolerance": str(DEFAULT_TOLERANCE)} if "tolerance" not in explicit else {}
        policy = policy_of({**o, **given, "delta": NO_DELTA})
    else:
        policy = policy_of(o)
    budgets = _budgets(o)
    accepted, path = accepted_of(o, has_budgets=bool(budgets))
    baseline: Artifact | None = None
    if accepted and path:
        baselines.check_policy(policy, baselines.read_calibration(o["device"], o["baselines"]))
        params = _pinned(o, explicit, accepted)
        baseline = baselines.model_of(accepted, path)
    else:
        params = params_of(o)
        if o["baseline"] not in ("", NO_BASELINE):
            baseline = baselines.open_model(Path(o["baseline"]))
    return GateRequest(
        device=o["device"],
        params=params,
        candidate=artifact_of(o["candidate"], o, params, baseline),
        baseline=baseline,
        accepted=accepted,
        others=tuple((b.against, _other(b.against, o, params)) for b in budgets if b.against),
        policy=policy,
        budgets=budgets,
        name=o["name"],
        out=o["records"],
        wait_s=wait_s(o),
        adb=o["adb"],
        time_s=time_s,
    )


def accepted_of(o: dict[str, Any], *, has_budgets: bool) -> tuple[Baseline | None, Path | None]:
    """The accepted baseline that is named, or the device's; none for a bare model file."""
    from ghostdeploy.commands.gate import baselines

    if o["baseline"] == NO_BASELINE or (o["baseline"] and not o["baseline"].endswith(".json")):
        return None, None
    folder = baselines.folder_of(o["device"], o["baselines"])
    if not o["baseline"] and has_budgets and not folder.exists():
        return None, None
    path = Path(o["baseline"]) if o["baseline"] else baselines.find(o["device"], o["baselines"])
    return baselines.read_baseline(path), path


def _pinned(o: dict[str, Any], explicit: set[str], accepted: Baseline) -> BenchParams:
    """The accepted parameters; what the command line says must not contradict them."""
    wanted = params_of(o)
    for name in sorted(explicit & BENCH_FIELDS.keys()):
        pinned = attrgetter(*BENCH_FIELDS[name])
        was, now = pinned(accepted.params), pinned(wanted)
        if was != now and name not in ("benchmark_model", "timeout"):
            raise UsageError(
                f"the baseline was accepted with {name} {was}, not {now}: leave the option out,"
                " or accept a baseline with it"
            )
    if "benchmark_model" in explicit:  # the same program may lie elsewhere on this machine
        return replace(accepted.params, benchmark_model=wanted.benchmark_model)
    return accepted.params


def params_of(o: dict[str, Any]) -> BenchParams:
    return bench_params({**o, "launches": 1})


def wait_s(o: dict[str, Any]) -> float:
    if not 0 <= o["wait"] <= 1e5:
        raise UsageError(f"--wait takes minutes from 0 on, not {o['wait']:g}")
    return 60.0 * float(o["wait"])


def _budgets(o: dict[str, Any]) -> tuple[Budget, ...]:
    from ghostdeploy.gate.budgets import Budget

    found = [
        Budget(kind, o[f"max_{kind}"])
        for kind in ("latency_ms", "size_mb", "peak_mem_mb")
        if o[f"max_{kind}"] is not None
    ]
    for text in o["max_ratio"]:
        name, _, limit = text.rpartition("=")
        try:
            found.append(Budget("ratio", float(limit), name))
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f"--max-ratio takes NAME=1.25, not {text!r}")
    return tuple(found)


def _other(name: str, o: dict[str, Any], params: BenchParams) -> Artifact:
    """The model of a ratio: as --candidate takes it, or by its title, such as GhostNet."""
    from ghostdeploy import zoo

    titles = {entry.title.lower(): arch for arch, entry in zoo.MODELS.items()}
    return artifact_of(titles.get(name.lower(), name), o, params)


def artifact_of(
    text: str, o: dict[str, Any], params: BenchParams, baseline: Artifact | None = None
) -> Artifact:
    """A file, or a model of the zoo, exported if it is not there. Never over the baseline."""
    from ghostdeploy.commands.compare import prepare
    from ghostdeploy.commands.gate.baselines import open_model
    from ghostdeploy.commands.targets import parse_target

    target = parse_target(text, spec_defaults(o))
    if isinstance(target, Path):
        return open_model(target)
    format_ = "onnx" if params.runtime == "onnxruntime" else "tflite"
    request = export_request(o, target, (format_,))
    if baseline and request.path(format_).resolve() == Path(baseline.path).resolve():
        raise UsageError(
            f"{text} would be exported over the baseline {baseline.path}: give another --out"
        )
    (subject,) = with_progress(lambda p: prepare([target], lambda spec: request, p))
    return subject.artifact
