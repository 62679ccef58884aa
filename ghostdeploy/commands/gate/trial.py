"""One gate under way: launches in turns (AB, BA, AB …), a decision after each pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ghostdeploy.commands.bench import Session, log_ratios, open_session
from ghostdeploy.commands.gate.request import GateRequest
from ghostdeploy.commands.gate.where import where
from ghostdeploy.errors import MeasurementError
from ghostdeploy.gate import PairedGate, Verdict
from ghostdeploy.gate.budgets import Budget, BudgetResult, judge_budget
from ghostdeploy.gate.outcome import Slowdown
from ghostdeploy.progress import Progress
from ghostdeploy.runners import Access, Runner, open_runner
from ghostdeploy.runners.device_queue import hold_device
from ghostdeploy.schema import BenchRecord, DeviceIdentity, Launch

MEASURED = ("latency_ms", "peak_mem_mb", "ratio")


@dataclass
class Trial:
    """What is known at any time; ``failure`` is why it ended before it could decide."""

    request: GateRequest
    progress: Progress
    session: Session | None = None
    gate: PairedGate | None = None
    budgets: dict[Budget, BudgetResult] = field(default_factory=dict)
    identity: DeviceIdentity | None = None
    where: Slowdown | None = None
    failure: str = ""
    clock: Callable[[], float] = time.monotonic
    begun_s: float = 0.0

    def __post_init__(self) -> None:
        self.begun_s = self.clock()
        if self.request.baseline:
            self.gate = PairedGate(self.request.policy)
        self._judge(["size_mb"])

    @property
    def duration_s(self) -> float:
        return self.clock() - self.begun_s

    @property
    def compared(self) -> Verdict | None:
        return self.gate.result.verdict if self.gate else None

    def run(self) -> None:
        """Until all is decided, the attempts or the time are used up, or the device fails."""
        request = self.request
        if request.time_s <= 0:
            self.failure = "no time was left for it"
            return
        try:
            with (
                hold_device(request.device, request.wait_s, self._tell_waiting),
                closing(open_runner(request.device, request.params, self._access)) as runner,
            ):
                self._measure(runner)
        except MeasurementError as error:
            self.failure = str(error)
        if self.session and self.session.complete_rounds < request.policy.looks[-1]:
            self._judge(MEASURED)

    def _measure(self, runner: Runner) -> None:
        request = self.request
        self.begun_s = self.clock()
        self.identity = runner.identity()
        if request.accepted:
            request.accepted.check_device(self.identity)
            request.accepted.check_runtime(runner.runtime(request.params))
        self.session = open_session(request.arms, runner, request.params, request.out, self._tell)
        for number in range(request.policy.max_pairs):
            if self._decided or self.failure:
                break
            self._round(self.session, number)
        if self.compared == Verdict.REGRESSED and request.baseline:
            self._tell(0, 0, "where it got slower")
            paths = (Path(request.baseline.path), Path(request.candidate.path))
            self.where = where(runner, request.params, *paths)

    def _round(self, session: Session, number: int) -> None:
        if self.duration_s > self.request.time_s:
            self.failure = f"the time of {self.request.time_s / 60:.3g} min is over"
            return
        before = session.complete_rounds
        session.run_round(number)
        if self.gate and self.compared is None:
            _add_pair(self.gate, *(arm.record.launches[-1] for arm in session.arms[:2]))
        if before < session.complete_rounds in self.request.policy.looks:
            self._judge(MEASURED)
        if session.hopeless:
            whys = (x.why_not for arm in session.arms for x in arm.record.launches)
            self.failure = f"a model never ran to its end: {next(filter(None, whys), 'no reason')}"

    @property
    def _decided(self) -> bool:
        undecided = [b for b in self.request.budgets if not _settled(self.budgets.get(b))]
        return (self.gate is None or self.compared is not None) and not undecided

    def _judge(self, kinds: Iterable[str]) -> None:
        """Once a budget is settled at a look, it stays so: no second chance, no second risk."""
        for budget in self.request.budgets:
            if budget.kind in kinds and not _settled(self.budgets.get(budget)):
                self.budgets[budget] = judge_budget(
                    budget, self._values(budget), self.request.policy
                )

    def _values(self, budget: Budget) -> list[float]:
        request = self.request
        if budget.kind == "size_mb":
            return [request.candidate.size_bytes / 1e6]
        candidate = self.record(request.candidate_arm)
        if candidate is None:
            return []
        if budget.kind == "ratio":
            other = self.record(request.arm_of(budget.against))
            return log_ratios(candidate, other) if other else []
        if budget.kind == "latency_ms":
            return [value_ms(launch) for launch in candidate.valid_launches]
        peaks = (launch.peak_mem_mb for launch in candidate.valid_launches)
        return [peak for peak in peaks if peak is not None]

    def record(self, arm: int) -> BenchRecord | None:
        return self.session.arms[arm].record if self.session else None

    def _tell(self, done: int, total: int, text: str) -> None:
        result = self.gate.result if self.gate else None
        so_far = f" (ratio {result.ratio:.3f})" if result and result.valid_pairs else ""
        most = (1 + self.request.policy.max_pairs) * len(self.request.arms)
        self.progress(done, most, text + so_far)

    @property
    def _access(self) -> Access:
        def tell(text: str) -> None:
            if text:
                self.progress(0, 0, text)

        return Access(tell=tell, wait_s=self.request.wait_s, adb=self.request.adb)

    def _tell_waiting(self, holder: str) -> None:
        self.progress(0, 0, f"waiting for {self.request.device}, in use by {holder}")


def value_ms(launch: Launch) -> float:
    """A launch's one value; 0 where it has none."""
    return launch.summary.value_ms if launch.summary else 0.0


def _add_pair(gate: PairedGate, baseline: Launch, candidate: Launch) -> None:
    if value_ms(baseline) and value_ms(candidate):
        flags = (not baseline.valid, not candidate.valid)
        gate.add(value_ms(baseline), value_ms(candidate), *flags)
    else:
        gate.add_failed()


def _settled(result: BudgetResult | None) -> bool:
    return result is not None and result.verdict in (Verdict.PASS, Verdict.REGRESSED)
