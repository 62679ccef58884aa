"""What to gate: the models, the device, and what it is judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from ghostdeploy.commands.gate.baselines import Baseline
from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.gate import GatePolicy
from ghostdeploy.gate.budgets import Budget
from ghostdeploy.lint import read_graph
from ghostdeploy.schema import Artifact, BenchParams


@dataclass(frozen=True)
class GateRequest:
    """What to gate; models' paths are real files.

    ``accepted`` pins the device and the runtime. ``others`` are the models that ratio budgets
    name. ``wait_s`` is how long to queue for the device, ``time_s`` how long to measure at most.
    """

    device: str
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
        return self.name or self.candidate.name

    @property
    def candidate_arm(self) -> int:
        return 1 if self.baseline else 0

    def arm_of(self, name: str) -> int:
        """The place of one of ``others`` in ``arms``."""
        return self.candidate_arm + 1 + [other for other, _ in self.others].index(name)

    @property
    def arms(self) -> list[Artifact]:
        """The baseline first and the candidate behind it; the models of ratios at the end."""
        first = [self.baseline] if self.baseline else []
        return [*first, self.candidate, *(artifact for _, artifact in self.others)]


def check_inputs(request: GateRequest) -> None:
    """Raises UsageError where the two models do not take the same input."""
    if request.baseline is None:
        return
    one, other = (inputs_of(Path(a.path)) for a in (request.baseline, request.candidate))
    if one and other and one != other:
        raise UsageError(
            f"{request.candidate.path} takes {' and '.join(other)}, but the baseline"
            f" {' and '.join(one)}: only models of one input size compare"
        )


def inputs_of(path: Path) -> tuple[str, ...]:
    """Each input as ``float32 1x224x224x3``; () where the package that reads it is missing."""
    try:
        graph = read_graph(path)
    except MissingExtraError:
        return ()
    return tuple(
        f"{graph.dtype(name) or '?'} {'x'.join(map(str, graph.shape(name))) or '?'}"
        for name in graph.inputs
    )
