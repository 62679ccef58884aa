"""The sequential decision over pairs of launches: one of the baseline, one of the candidate.

Each pair is measured close together in time, so that what drifts hits both: d = ln(B/A). The
estimate is Hodges-Lehmann's, its interval inverts the exact signed-rank test, and the risk of a
false alarm is shared equally between a few looks (Bonferroni; O'Brien & Fleming's looks would
spend it unevenly). benchmarks/gate_simulation.py shows how often this is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from ghostdeploy.decision.policy import GatePolicy
from ghostdeploy.decision.verdict import Verdict
from ghostdeploy.stats import launches as stats

# A picosecond and 30 years: no launch, but far from where floats end.
LEAST_MS, MOST_MS = 1e-9, 1e12


@dataclass(frozen=True)
class Discard:
    """A pair that does not count. ``pair`` is its number, from 0."""

    pair: int
    why: str


@dataclass(frozen=True)
class GateResult:
    """What is known so far. Ratios are candidate over baseline: 1.05 is 5 % slower.

    ``ratio`` is NaN without a valid pair, and the limits 0 and infinity while there are too few
    pairs for their confidence. ``noise`` is the launches' robust standard deviation, a share, over
    all ``measured_pairs``, those without device evidence: what the screen leaves of them varies
    little by its making. NaN without such a pair. ``slow_…`` count the launches that nothing
    explains and that are beyond the screen above their own arm's median. ``verdict`` is None while
    it is open.
    """

    ratio: float
    lower: float
    upper: float
    valid_pairs: int
    discarded: int
    noise: float
    slow_baseline: int
    slow_candidate: int
    measured_pairs: int
    discards: tuple[Discard, ...] = ()
    verdict: Verdict | None = None
    why: str = ""


class PairedGate:
    """A gate that is fed pairs until it says a verdict. It knows no clock and no device.

    >>> gate = PairedGate()
    >>> while (verdict := gate.add(launch(baseline), launch(candidate))) is None: ...
    """

    def __init__(self, policy: GatePolicy | None = None) -> None:
        self.policy = policy or GatePolicy()
        self._pairs: list[_Pair | None] = []
        self._looked = 0
        self._verdict: Verdict | None = None
        self._why = ""

    def add(
        self,
        baseline_ms: float,
        candidate_ms: float,
        baseline_flagged: bool = False,
        candidate_flagged: bool = False,
    ) -> Verdict | None:
        """Take one more pair and return the verdict; None asks for another pair.

        A flag is the device's evidence against a launch. Raises ValueError for a latency that is
        not finite and above 0, and once the gate has decided.
        """
        for arm, latency_ms in (("baseline", baseline_ms), ("candidate", candidate_ms)):
            if not LEAST_MS <= latency_ms <= MOST_MS:
                raise ValueError(f"{arm}_ms must be finite and above 0, not {latency_ms}")
        return self._take(
            _Pair(
                _Launch(float(baseline_ms), bool(baseline_flagged)),
                _Launch(float(candidate_ms), bool(candidate_flagged)),
            )
        )

    def add_failed(self) -> Verdict | None:
        """Take a pair of which a launch gave no latency at all; returns and raises as ``add``."""
        return self._take(None)

    @property
    def attempted(self) -> int:
        """The number of pairs so far, valid or not."""
        return len(self._pairs)

    @property
    def result(self) -> GateResult:
        """What is known so far, screened and estimated anew."""
        return self._result(self._screened())

    def _take(self, pair: _Pair | None) -> Verdict | None:
        if self._verdict:
            raise ValueError(f"this gate has decided already: {self._verdict}")
        self._pairs.append(pair)
        screened = self._screened()
        last = self.attempted >= self.policy.max_pairs
        if len(screened.ratios) >= self.policy.looks[self._looked]:
            self._looked += 1
            last = last or self._looked == len(self.policy.looks)
        elif not last:
            return None
        self._verdict, self._why = _judge(self._result(screened), screened, self.policy, last)
        return self._verdict

    def _screened(self) -> _Screened:
        return _screen(self._pairs, self.policy.screen)

    def _result(self, screened: _Screened) -> GateResult:
        ratios = screened.ratios
        confidence = self.policy.confidence_at(max(0, self._looked - 1))
        estimate = stats.signed_rank_interval(ratios, confidence) if ratios else None
        known = len(ratios) >= self.policy.fewest_pairs
        return GateResult(
            ratio=math.exp(estimate.value) if estimate else math.nan,
            lower=math.exp(estimate.lower) if estimate and known else 0.0,
            upper=math.exp(estimate.upper) if estimate and known else math.inf,
            valid_pairs=len(ratios),
            discarded=len(screened.discards),
            noise=_launch_sd(screened.unflagged) if screened.unflagged else math.nan,
            slow_baseline=screened.baseline.slow,
            slow_candidate=screened.candidate.slow,
            measured_pairs=len(screened.unflagged),
            discards=tuple(screened.discards),
            verdict=self._verdict,
            why=self._why,
        )


@dataclass(frozen=True)
class _Launch:
    ms: float
    flagged: bool


@dataclass(frozen=True)
class _Pair:
    baseline: _Launch
    candidate: _Launch

    @property
    def log_ratio(self) -> float:
        return math.log(self.candidate.ms / self.baseline.ms)


@dataclass
class _Arm:
    """One model's launches against their own median; flagged ones tell nothing about it."""

    centre_ms: float
    slow: int = 0
    fast: int = 0

    @property
    def outliers(self) -> int:
        """The launches beyond the screen on either side."""
        return self.slow + self.fast


@dataclass
class _Screened:
    baseline: _Arm
    candidate: _Arm
    ratios: list[float] = field(default_factory=list)  # natural logarithms, of valid pairs
    unflagged: list[float] = field(default_factory=list)  # and those of the screened pairs
    discards: list[Discard] = field(default_factory=list)


def _screen(pairs: Sequence[_Pair | None], screen: float) -> _Screened:
    """Judge each launch by its own arm, never one arm by the other: that would hide changes."""
    measured = [pair for pair in pairs if pair]
    found = _Screened(
        _Arm(_centre([pair.baseline for pair in measured])),
        _Arm(_centre([pair.candidate for pair in measured])),
    )
    for number, pair in enumerate(pairs):
        why, ratio = _why_not(pair, found, screen), pair.log_ratio if pair else math.nan
        if pair and not (pair.baseline.flagged or pair.candidate.flagged):
            found.unflagged.append(ratio)
        if why:
            found.discards.append(Discard(number, why))
        else:
            found.ratios.append(ratio)
    return found


def _centre(launches: Sequence[_Launch]) -> float:
    return median([x.ms for x in launches if not x.flagged] or [math.nan])


def _why_not(pair: _Pair | None, found: _Screened, screen: float) -> str:
    """Return why a pair does not count, "" if it does; counts the outliers on its way."""
    if pair is None:
        return "a launch gave no latency"
    whys = []
    for name, arm, launch in (
        ("baseline", found.baseline, pair.baseline),
        ("candidate", found.candidate, pair.candidate),
    ):
        change = launch.ms / arm.centre_ms - 1
        if launch.flagged:
            whys.append(f"{name}: device evidence against the launch")
        elif abs(change) > screen:
            arm.slow += change > 0
            arm.fast += change < 0
            whys.append(
                f"{name}: {abs(change):.0%} {'slower' if change > 0 else 'faster'} than its median"
            )
    return "; ".join(whys)


def _launch_sd(ratios: Sequence[float]) -> float:
    """Return 1.4826·MAD/√2 of the log ratios: a pair's ratio varies with two launches."""
    centre = median(ratios)
    return stats.MAD_TO_SD * median(abs(d - centre) for d in ratios) / math.sqrt(2)


def _judge(
    result: GateResult, screened: _Screened, policy: GatePolicy, last: bool
) -> tuple[Verdict | None, str]:
    """Return a look's verdict and why, in the order in which they exclude each other.

    A verdict of None is to measure on.
    """
    spoilt = _why_invalid(result, screened, policy)
    if spoilt:
        return Verdict.INVALID, spoilt
    if result.lower > 1 + policy.tolerance:
        return Verdict.REGRESSED, f"at least {_slower(result.lower)}"
    if result.upper < 1 - policy.tolerance:
        return Verdict.IMPROVED, f"at least {1 - result.upper:.1%} faster"
    excess = result.slow_candidate - result.slow_baseline
    if result.upper < 1 + policy.delta and excess < policy.slow_excess:
        return Verdict.PASS, f"less than {policy.delta:.0%} slower"
    if not last:
        return None, ""
    if result.upper < 1 + policy.delta:
        slow = f"{result.slow_candidate} slow launches, the baseline {result.slow_baseline}"
        return Verdict.INCONCLUSIVE, f"its median passes, but the candidate had {slow}"
    return Verdict.INCONCLUSIVE, (
        f"{result.lower - 1:+.1%} to {result.upper - 1:+.1%} is neither below"
        f" {policy.delta:+.0%} nor above {policy.tolerance:+.0%}"
    )


def _slower(ratio: float) -> str:
    return f"{ratio - 1:.1%} slower" if ratio < 2 else f"{ratio:.3g} times as slow"


def _why_invalid(result: GateResult, screened: _Screened, policy: GatePolicy) -> str:
    if result.valid_pairs < policy.looks[0]:
        return f"only {result.valid_pairs} valid pairs, of {policy.looks[0]} needed"
    if result.noise > policy.max_noise:
        return f"launches vary by {result.noise:.1%}, of at most {policy.max_noise:.0%}"
    counts = (screened.baseline.outliers, screened.candidate.outliers)
    lopsided = abs(counts[0] - counts[1]) >= policy.arm_excess
    if lopsided and stats.sign_test(*counts) < policy.alpha:
        return f"outliers are lopsided: {counts[0]} of the baseline, {counts[1]} of the candidate"
    return ""
