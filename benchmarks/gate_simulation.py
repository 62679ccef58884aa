"""How often the gate is right, by simulated sessions on a noisy phone. Prints Markdown tables.

    python benchmarks/gate_simulation.py [SESSIONS]

The noise model, on the logarithm of a run's latency: arm + session shift N(0, 2 %) + drift rising
to U(0, 4 %) over a session + launch effect N(0, SD) + per run N(0, 0.4 %) + Exp(0.6 %), 1 % of the
runs with Exp(15 %) on top; 50 runs a launch, of which the gate sees the median. Throttling is a
Markov chain over launches (enter 5 %, stay 50 %): +20 to 60 %, half of them from a random run on.
A phone says so by its thermal status; one that stays silent is the last table: there the gate's
own screen has to see it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ghostdeploy.gate import GatePolicy, PairedGate, Verdict

CHANGES = (0.0, 0.02, 0.03, 0.05, 0.10)
RUNS = 50
CHUNK = 250  # sessions drawn at once: 250 × 72 × 50 numbers are 7 MB


@dataclass(frozen=True)
class Noise:
    """Shares; ``slow_share`` of the candidate's launches are ``slow_by`` slower."""

    launch_sd: float = 0.015
    session_sd: float = 0.02
    drift: float = 0.04
    throttle: float = 0.05
    evidence: float = 1.0  # the share of throttled launches that the device owns up to
    slow_share: float = 0.0
    slow_by: float = 0.30


COLUMNS = {
    "launch sd 1.5 %": Noise(),
    "launch sd 3 %": Noise(launch_sd=0.03),
    "1.5 %, silent about throttling": Noise(evidence=0.0),
    "3 %, silent about throttling": Noise(launch_sd=0.03, evidence=0.0),
}


@dataclass(frozen=True)
class Outcome:
    """Shares of the sessions in %, and the mean numbers of pairs."""

    verdicts: dict[Verdict, float]
    valid_pairs: float
    attempted: float

    @classmethod
    def of(cls, gates: list[PairedGate]) -> Outcome:
        results = [gate.result for gate in gates]
        counts = Counter(result.verdict for result in results)
        return cls(
            {verdict: 100 * counts[verdict] / len(gates) for verdict in Verdict},
            float(np.mean([result.valid_pairs for result in results])),
            float(np.mean([gate.attempted for gate in gates])),
        )


@dataclass(frozen=True)
class Sessions:
    """``ms`` and ``flagged`` are (sessions, pairs, 2): the baseline's launches, the candidate's."""

    ms: np.ndarray
    flagged: np.ndarray


def draw(
    random: np.random.Generator, sessions: int, pairs: int, change: float, noise: Noise
) -> Sessions:
    """Launches in the order AB, BA, AB …"""
    launches = 2 * pairs
    candidate = (np.arange(launches) + 1) // 2 % 2 == 1
    level = np.where(candidate, np.log1p(change), 0.0)
    level = level + random.normal(0, noise.session_sd, (sessions, 1))
    level = level + random.uniform(0, noise.drift, (sessions, 1)) * np.linspace(0, 1, launches)
    level += random.normal(0, noise.launch_sd, (sessions, launches))
    slow = random.random((sessions, launches)) < noise.slow_share
    level += np.where(slow & candidate, np.log1p(noise.slow_by), 0.0)
    runs = level[..., None] + random.normal(0, 0.004, (sessions, launches, RUNS))
    runs += random.exponential(0.006, runs.shape)
    runs += (random.random(runs.shape) < 0.01) * random.exponential(0.15, runs.shape)
    hot = throttled(random, sessions, launches, noise)
    runs += heat(random, hot)
    flagged = hot & (random.random(hot.shape) < noise.evidence)
    return Sessions(by_arm(30 * np.exp(np.median(runs, axis=2))), by_arm(flagged))


def by_arm(launches: np.ndarray) -> np.ndarray:
    """(sessions, launches) in order of time to (sessions, pairs, 2): odd pairs ran BA."""
    pairs = launches.reshape(len(launches), -1, 2).copy()
    pairs[:, 1::2] = pairs[:, 1::2, ::-1].copy()
    return pairs


def throttled(
    random: np.random.Generator, sessions: int, launches: int, noise: Noise
) -> np.ndarray:
    """(sessions, launches): whether a launch is."""
    hot = np.zeros((sessions, launches), dtype=bool)
    before = np.zeros(sessions, dtype=bool)
    for launch in range(launches):
        before = random.random(sessions) < np.where(before, 0.5, noise.throttle)
        hot[:, launch] = before
    return hot


def heat(random: np.random.Generator, hot: np.ndarray) -> np.ndarray:
    """(sessions, launches, RUNS): what throttled runs take longer, as logarithms."""
    by = np.log1p(random.uniform(0.2, 0.6, hot.shape)) * hot
    late = random.random(hot.shape) < 0.5
    start = np.where(late, random.integers(0, RUNS, hot.shape), 0)
    return np.where(np.arange(RUNS) >= start[..., None], by[..., None], 0.0)


def sessions(policy: GatePolicy, change: float, noise: Noise, seed: int) -> Iterator[PairedGate]:
    """Decided gates, without end."""
    random = np.random.default_rng(seed)
    while True:
        drawn = draw(random, CHUNK, policy.max_pairs, change, noise)
        for ms, flagged in zip(drawn.ms.tolist(), drawn.flagged.tolist(), strict=True):
            gate = PairedGate(policy)
            for pair, flags in zip(ms, flagged, strict=True):
                if gate.add(*pair, *flags):
                    break
            yield gate


def simulate(policy: GatePolicy, change: float, noise: Noise, count: int, seed: int = 1) -> Outcome:
    return Outcome.of(list(islice(sessions(policy, change, noise, seed), count)))


def table(policy: GatePolicy, count: int, noises: dict[str, Noise]) -> None:
    print(f"| true change | {' | '.join(noises)} |\n|{'---|' * (len(noises) + 1)}")
    for change in CHANGES:
        cells = [cell(simulate(policy, change, noise, count)) for noise in noises.values()]
        print(f"| {change:+.0%} | {' | '.join(cells)} |", flush=True)


def cell(outcome: Outcome) -> str:
    """pass / regressed / inconclusive (+ invalid, improved) %; valid and attempted pairs."""
    share = {verdict: f"{value:.3g}" for verdict, value in outcome.verdicts.items()}
    text = f"{share[Verdict.PASS]} / {share[Verdict.REGRESSED]} / {share[Verdict.INCONCLUSIVE]}"
    for verdict in (Verdict.INVALID, Verdict.IMPROVED):
        if outcome.verdicts[verdict]:
            text += f" (+{share[verdict]} {verdict})"
    return f"{text}; {outcome.valid_pairs:.1f} of {outcome.attempted:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sessions", type=int, nargs="?", default=2000)
    arguments = parser.parse_args()
    count = arguments.sessions
    print(f"{count} sessions a cell: pass / regressed / inconclusive %; valid of attempted pairs\n")
    table(GatePolicy(), count, COLUMNS)


if __name__ == "__main__":
    sys.exit(main())
