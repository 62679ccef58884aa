"""What one gate found, as it is kept: a line of the history."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.decision.budgets import BudgetResult
from ghostdeploy.decision.paired import Discard
from ghostdeploy.decision.policy import GatePolicy
from ghostdeploy.decision.verdict import Verdict
from ghostdeploy.errors import UsageError
from ghostdeploy.schema import BenchParams, DeviceIdentity, Interval

SCHEMA = "ghostdeploy.decision/1"


@dataclass(frozen=True)
class GateModel:
    """One arm of a gate. ``latency_ms`` is None where no launch was valid; ``record`` is its file.

    ``instructions`` are of one inference, where the device counts instead of timing.
    """

    name: str
    path: str
    sha256: str
    size_bytes: int
    latency_ms: Interval | None = None
    record: str = ""
    instructions: int | None = None


@dataclass(frozen=True)
class OpDifference:
    """An operator's time in all of an inference; None where that graph has no such operator."""

    op: str
    baseline_ms: float | None
    candidate_ms: float | None

    @property
    def change_ms(self) -> float:
        """What the operator takes longer in the candidate; an absent one takes no time."""
        return (self.candidate_ms or 0.0) - (self.baseline_ms or 0.0)


@dataclass(frozen=True)
class Slowdown:
    """Where a regression is: by operator (or why that is not known), and what the graphs lost."""

    ops: tuple[OpDifference, ...] = ()
    why_no_ops: str = ""
    graphs: str = ""


@dataclass(frozen=True)
class GitIdentity:
    """The commit that a gate ran at; empty where there is no git, or no repository."""

    commit: str = ""
    branch: str = ""
    author: str = ""
    dirty: bool = False


@dataclass(frozen=True)
class GateRun:
    """One verdict and what it stands on. Shares and ratios are as in GateResult; None is unknown.

    ``device`` is what was asked for, ``identity`` what answered. ``p95_ratio`` is of the launches'
    95th percentiles. ``resolution`` is GatePolicy's, of this run's ``noise``, None where fewer
    pairs were valid than the first look needs. ``compared`` is the verdict on the baseline alone,
    "" without one; ``verdict`` is that and the budgets'.

    Raises UsageError for a verdict that is none.
    """

    name: str
    device: str
    verdict: str
    why: str
    policy: GatePolicy
    params: BenchParams
    candidate: GateModel
    started_at: str
    duration_s: float
    baseline: GateModel | None = None
    identity: DeviceIdentity | None = None
    compared: str = ""
    ratio: Interval | None = None
    p95_ratio: Interval | None = None
    noise: float | None = None
    resolution: float | None = None
    valid_pairs: int = 0
    attempted: int = 0
    discards: tuple[Discard, ...] = ()
    slow_baseline: int = 0
    slow_candidate: int = 0
    budgets: tuple[BudgetResult, ...] = ()
    warnings: tuple[str, ...] = ()
    where: Slowdown | None = None
    git: GitIdentity = GitIdentity()
    schema: str = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise UsageError(f"a gate's line of another version: {self.schema[:40]!r}")
        for word in filter(None, (self.verdict, self.compared)):
            if word not in set(Verdict):
                raise UsageError(f"no verdict is called {word[:40]!r}")

    @property
    def said(self) -> Verdict:
        """The verdict as a Verdict."""
        return Verdict(self.verdict)
