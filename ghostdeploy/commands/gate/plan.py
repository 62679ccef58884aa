"""What is gated, once it is exported, opened and looked up; a trial carries it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

from ghostdeploy.commands.contenders import prepare_contenders
from ghostdeploy.commands.gate import baselines
from ghostdeploy.commands.gate.baselines import Baseline
from ghostdeploy.commands.gate.request import CalibrationRequest, GateRequest, NamedModel
from ghostdeploy.commands.measure import choose_format
from ghostdeploy.decision import GatePolicy
from ghostdeploy.decision.budgets import Budget
from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.linting import read_graph
from ghostdeploy.progress import Progress, divide
from ghostdeploy.runners import Device
from ghostdeploy.runners.host.runtimes import settle_runtime
from ghostdeploy.schema import Artifact, BenchParams
from ghostdeploy.sources.reference import NetworkReference

# option -> what of BenchParams an accepted baseline pins
PINNED = {
    "threads": ("threads",),
    "runs": ("runs",),
    "warmup": ("warmup",),
    "runtime": ("runtime",),
    "xnnpack": ("xnnpack", "fp16"),
    "delegate": ("delegate",),
    "plus_flags": ("plus_flags",),
    "cpus": ("cpus",),
    "input_shape": ("input_shapes",),
    "max_disturbance": ("max_disturbance",),
    "max_thermal": ("phone.max_thermal",),
    "max_temp": ("phone.max_temp_c",),
    "min_battery": ("phone.min_battery",),
    "screen_on": ("phone.screen_on",),
    "fixed_performance": ("phone.fixed_performance",),
}


@dataclass(frozen=True)
class GatePlan:
    """What to gate; the models' paths are real files.

    ``accepted`` pins the device and the runtime. ``others`` are the models that ratio budgets
    name. ``wait_s`` is how long to queue for the device, ``time_s`` how long to measure at most.
    """

    device: Device
    params: BenchParams
    candidate: Artifact
    baseline: Artifact | None = None
    accepted: Baseline | None = None
    others: tuple[tuple[str, Artifact], ...] = ()
    policy: GatePolicy = field(default_factory=GatePolicy)
    budgets: tuple[Budget, ...] = ()
    name: str = ""
    out: Path = Path("reports")
    wait_s: float = 3600.0
    adb: str = ""
    time_s: float = math.inf

    def __post_init__(self) -> None:
        if self.baseline is None and not self.budgets:
            raise UsageError("a gate needs a --baseline, or a budget such as --max-latency-ms 40")
        named = {name for name, _ in self.others}
        missing = [b.against for b in self.budgets if b.against and b.against not in named]
        if missing:
            raise UsageError(f"no model is given for the ratio to {missing[0]}")

    @property
    def title(self) -> str:
        """The gate's name, or else the candidate's."""
        return self.name or self.candidate.name

    @property
    def candidate_arm(self) -> int:
        """The candidate's place in ``arms``."""
        return 1 if self.baseline else 0

    def arm_of(self, name: str) -> int:
        """Return the place in ``arms`` of the model called ``name`` among ``others``."""
        return self.candidate_arm + 1 + [other for other, _ in self.others].index(name)

    @property
    def arms(self) -> list[Artifact]:
        """The baseline first and the candidate behind it; the models of ratios at the end."""
        first = [self.baseline] if self.baseline else []
        return [*first, self.candidate, *(artifact for _, artifact in self.others)]


def plan_gate(request: GateRequest, progress: Progress) -> GatePlan:
    """Look the baseline up, pin the parameters to it, and export what is not there yet.

    Raises UsageError and InputFileError for what does not go together or is not there, and what
    exporting raises.
    """
    found, params, baseline = _find_accepted(request), request.params, None
    if found:
        accepted, path = found
        known = baselines.read_calibration(request.device, request.baselines)
        baselines.check_policy(request.policy, known)
        params = _pin(request.params, accepted, request.given)
        baseline = baselines.open_baseline(accepted, path)
    elif request.baseline and not request.budgets_alone:
        baseline = baselines.open_model(request.baseline)
    first, *parts = divide(progress, [1.0] * (1 + len(request.others)))
    candidate = open_or_export(request.candidate, request.device, params, first, baseline)
    others = (
        (model.name, open_or_export(model, request.device, params, part))
        for model, part in zip(request.others, parts, strict=True)
    )
    return GatePlan(
        device=request.device,
        params=settle_runtime(params, Path(candidate.path)),
        candidate=candidate,
        baseline=baseline,
        accepted=found[0] if found else None,
        others=tuple(others),
        policy=request.policy,
        budgets=request.budgets,
        name=request.name,
        out=request.out,
        wait_s=request.wait_s,
        adb=request.adb,
        time_s=request.time_s,
    )


def plan_calibration(request: CalibrationRequest, progress: Progress) -> GatePlan:
    """Look up, or export, the model that is measured against itself; raises as ``plan_gate``."""
    accepted, params = None, request.params
    if request.model is not None:
        artifact = open_or_export(request.model, request.device, params, progress)
    else:
        path = request.baseline or baselines.find_baseline(request.device, request.baselines)
        accepted = baselines.read_baseline(path)
        params, artifact = accepted.params, baselines.open_baseline(accepted, path)
    return GatePlan(
        device=request.device,
        params=settle_runtime(params, Path(artifact.path)),
        candidate=artifact,
        baseline=artifact,
        accepted=accepted,
        policy=request.policy,
        name="calibration",
        out=request.out,
        wait_s=request.wait_s,
        adb=request.adb,
    )


def open_or_export(
    model: NamedModel,
    device: Device,
    params: BenchParams,
    progress: Progress,
    baseline: Artifact | None = None,
) -> Artifact:
    """Return a file's artifact, or export a model for the runtime; never over the baseline.

    Raises UsageError for a model that would be, InputFileError for what is no model file, and what
    exporting raises.
    """
    if isinstance(model.source, Path):
        return baselines.open_model(model.source)
    format_ = choose_format(device, params)
    request = replace(model.source, formats=(format_,))
    # The name of a network of the user's says what is in the file: another one has another name.
    named = not isinstance(request.spec, NetworkReference)
    if baseline and named and request.path(format_).resolve() == Path(baseline.path).resolve():
        raise UsageError(
            f"{model.name} would be exported over the baseline {baseline.path}: give another --out"
        )
    (contender,) = prepare_contenders([request], progress)
    return contender.artifact


def check_inputs(plan: GatePlan) -> None:
    """Raise UsageError where the two models do not take the same input."""
    if plan.baseline is None:
        return
    one, other = (describe_inputs(Path(a.path)) for a in (plan.baseline, plan.candidate))
    if one and other and one != other:
        raise UsageError(
            f"{plan.candidate.path} takes {' and '.join(other)}, but the baseline"
            f" {' and '.join(one)}: only models of one input size compare"
        )


def describe_inputs(path: Path) -> tuple[str, ...]:
    """Describe each input as ``float32 1x224x224x3``; () where the package for it is missing."""
    try:
        graph = read_graph(path)
    except MissingExtraError:
        return ()
    return tuple(
        f"{graph.dtype(name) or '?'} {'x'.join(map(str, graph.shape(name))) or '?'}"
        for name in graph.inputs
    )


def _find_accepted(request: GateRequest) -> tuple[Baseline, Path] | None:
    """Find the accepted baseline that is named, or the device's; None for a bare model file."""
    if request.budgets_alone or (request.baseline and not request.baseline.name.endswith(".json")):
        return None
    folder = baselines.folder_of(request.device, request.baselines)
    if not request.baseline and request.budgets and not folder.exists():
        return None
    path = request.baseline or baselines.find_baseline(request.device, request.baselines)
    return baselines.read_baseline(path), path


def _pin(wanted: BenchParams, accepted: Baseline, given: frozenset[str]) -> BenchParams:
    """Return the accepted parameters. Raises UsageError where an option contradicts them."""
    for name in sorted(given & PINNED.keys()):
        pinned = attrgetter(*PINNED[name])
        was, now = pinned(accepted.params), pinned(wanted)
        if was != now:
            raise UsageError(
                f"the baseline was accepted with {name} {was}, not {now}: leave the option out,"
                " or accept a baseline with it"
            )
    if "benchmark_model" in given:  # the same program may lie elsewhere on this machine
        return replace(accepted.params, benchmark_model=wanted.benchmark_model)
    return accepted.params
