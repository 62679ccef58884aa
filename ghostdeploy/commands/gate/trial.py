"""One gate under way: launches in turns (AB, BA, AB …), a decision after each pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ghostdeploy.commands.bench.comparison import log_ratios
from ghostdeploy.commands.bench.session import Session, open_session
from ghostdeploy.commands.gate.plan import GatePlan
from ghostdeploy.commands.gate.slowdown import find_slowdown
from ghostdeploy.decision import PairedGate, Verdict
from ghostdeploy.decision.budgets import Budget, BudgetResult, judge_budget
from ghostdeploy.decision.outcome import Slowdown
from ghostdeploy.errors import GhostdeployError, MeasurementError, OutputError, error_line
from ghostdeploy.progress import Progress
from ghostdeploy.runners import Access, Runner, open_runner
from ghostdeploy.runners.device_queue import hold_device
from ghostdeploy.schema import Artifact, BenchRecord, DeviceIdentity, Launch

MEASURED = ("latency_ms", "peak_mem_mb", "ratio")


@dataclass
class Trial:
    """What is known of a gate at any time; ``failure`` is why it ended before it could decide."""

    plan: GatePlan
    progress: Progress
    session: Session | None = None
    gate: PairedGate | None = None
    budgets: dict[Budget, BudgetResult] = field(default_factory=dict)
    identity: DeviceIdentity | None = None
    slowdown: Slowdown | None = None
    failure: str = ""
    clock: Callable[[], float] = time.monotonic
    begun_s: float = 0.0

    def __post_init__(self) -> None:
        self.begun_s = self.clock()
        if self.plan.baseline:
            self.gate = PairedGate(self.plan.policy)
        self._judge(["size_mb"])

    @property
    def duration_s(self) -> float:
        """How long it has taken since the device was there."""
        return self.clock() - self.begun_s

    @property
    def compared(self) -> Verdict | None:
        """The verdict on the baseline, None while it is open or without one."""
        return self.gate.result.verdict if self.gate else None

    def run(self) -> None:
        """Measure until all is decided, attempts or time are used up, or the device fails."""
        plan = self.plan
        if plan.time_s <= 0:
            self.failure = "no time was left for it"
            return
        try:
            with (
                hold_device(str(plan.device), plan.wait_s, self._tell_waiting),
                closing(open_runner(plan.device, plan.params, self._access)) as runner,
            ):
                self._measure(runner)
        except (MeasurementError, OutputError) as error:
            self.failure = self.failure or str(error)
        except GhostdeployError as error:
            if not self.session:  # nothing was measured: the request is at fault
                raise
            self.failure = self.failure or str(error)
        if self.session and self.session.complete_rounds < plan.policy.looks[-1]:
            self._judge(MEASURED)

    def _measure(self, runner: Runner) -> None:
        plan = self.plan
        self.begun_s = self.clock()
        self.identity = runner.identity()
        if plan.accepted:
            plan.accepted.check_device(self.identity)
            plan.accepted.check_runtime(runner.runtime(plan.params))
        self.session = open_session(plan.arms, runner, plan.params, plan.out, self._tell)
        for number in range(plan.policy.max_pairs):
            if self._decided or self.failure:
                break
            self._round(self.session, number)
        if self.compared == Verdict.REGRESSED and plan.baseline:
            self._tell(0, 0, "where it got slower")
            self.slowdown = _find_slowdown(runner, plan, plan.baseline)

    def _round(self, session: Session, number: int) -> None:
        if self.duration_s > self.plan.time_s:
            self.failure = f"the time of {self.plan.time_s / 60:.3g} min is over"
            return
        before = session.complete_rounds
        session.run_round(number)
        if self.gate and self.compared is None:
            _add_pair(self.gate, *(arm.record.launches[-1] for arm in session.arms[:2]))
        if before < session.complete_rounds in self.plan.policy.looks:
            self._judge(MEASURED)
        if session.hopeless:
            whys = (x.why_not for arm in session.arms for x in arm.record.launches)
            self.failure = f"a model never ran to its end: {next(filter(None, whys), 'no reason')}"

    @property
    def _decided(self) -> bool:
        undecided = [b for b in self.plan.budgets if not _settled(self.budgets.get(b))]
        return (self.gate is None or self.compared is not None) and not undecided

    def _judge(self, kinds: Iterable[str]) -> None:
        """Judge budgets; one that is settled at a look stays so: no second chance or risk."""
        for budget in self.plan.budgets:
            if budget.kind in kinds and not _settled(self.budgets.get(budget)):
                self.budgets[budget] = judge_budget(budget, self._values(budget), self.plan.policy)

    def _values(self, budget: Budget) -> list[float]:
        plan = self.plan
        if budget.kind == "size_mb":
            return [plan.candidate.size_bytes / 1e6]
        candidate = self.record(plan.candidate_arm)
        if candidate is None:
            return []
        if budget.kind == "ratio":
            other = self.record(plan.arm_of(budget.against))
            return log_ratios(candidate, other) if other else []
        if budget.kind == "latency_ms":
            return [value_ms(launch) for launch in candidate.valid_launches]
        peaks = (launch.peak_mem_mb for launch in candidate.valid_launches)
        return [peak for peak in peaks if peak is not None]

    def record(self, arm: int) -> BenchRecord | None:
        """Return the record of one of the plan's arms, None before there is any."""
        return self.session.arms[arm].record if self.session else None

    def _tell(self, done: int, total: int, text: str) -> None:
        result = self.gate.result if self.gate else None
        so_far = f" (ratio {result.ratio:.3f})" if result and result.valid_pairs else ""
        most = (1 + self.plan.policy.max_pairs) * len(self.plan.arms)
        self.progress(done, most, text + so_far)

    @property
    def _access(self) -> Access:
        def tell(text: str) -> None:
            if text:
                self.progress(0, 0, text)

        return Access(tell=tell, wait_s=self.plan.wait_s, adb=self.plan.adb)

    def _tell_waiting(self, holder: str) -> None:
        self.progress(0, 0, f"waiting for {self.plan.device}, in use by {holder}")


def _find_slowdown(runner: Runner, plan: GatePlan, baseline: Artifact) -> Slowdown:
    """Tell where it got slower; the verdict stands, and is told, whatever may go wrong here."""
    try:
        return find_slowdown(runner, plan.params, Path(baseline.path), Path(plan.candidate.path))
    except Exception as error:
        return Slowdown(why_no_ops=f"it could not be looked for: {error_line(error)}")


def value_ms(launch: Launch) -> float:
    """Return a launch's one value in milliseconds, 0 where it has none."""
    return launch.summary.value_ms if launch.summary else 0.0


def _add_pair(gate: PairedGate, baseline: Launch, candidate: Launch) -> None:
    if value_ms(baseline) and value_ms(candidate):
        flags = (not baseline.valid, not candidate.valid)
        gate.add(value_ms(baseline), value_ms(candidate), *flags)
    else:
        gate.add_failed()


def _settled(result: BudgetResult | None) -> bool:
    return result is not None and result.verdict in (Verdict.PASS, Verdict.REGRESSED)
