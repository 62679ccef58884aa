"""How often the gate is right, by simulated sessions on a noisy phone. Prints Markdown tables.

    python benchmarks/gate_simulation.py [SESSIONS] [--variants]   # some minutes with 2000

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
    """How a phone varies, in shares; ``slow_share`` of the candidate's launches are slower."""

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
    """What became of the sessions, in % of them, and the mean numbers of pairs."""

    verdicts: dict[Verdict, float]
    valid_pairs: float
    attempted: float

    @classmethod
    def of(cls, gates: list[PairedGate]) -> Outcome:
        """Sum up decided gates."""
        results = [gate.result for gate in gates]
        counts = Counter(result.verdict for result in results)
        return cls(
            {verdict: 100 * counts[verdict] / len(gates) for verdict in Verdict},
            float(np.mean([result.valid_pairs for result in results])),
            float(np.mean([gate.attempted for gate in gates])),
        )


@dataclass(frozen=True)
class Sessions:
    """Drawn sessions, latencies in ms and the device's flags.

    Both are (sessions, pairs, 2): the baseline's launches, the candidate's.
    """

    ms: np.ndarray
    flagged: np.ndarray


def draw(
    random: np.random.Generator, sessions: int, pairs: int, change: float, noise: Noise
) -> Sessions:
    """Draw launches in the order AB, BA, AB and so on."""
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
    """Turn (sessions, launches) in order of time into (sessions, pairs, 2): odd pairs ran BA."""
    pairs = launches.reshape(len(launches), -1, 2).copy()
    pairs[:, 1::2] = pairs[:, 1::2, ::-1].copy()
    return pairs


def throttled(
    random: np.random.Generator, sessions: int, launches: int, noise: Noise
) -> np.ndarray:
    """Return (sessions, launches): whether a launch is throttled."""
    hot = np.zeros((sessions, launches), dtype=bool)
    before = np.zeros(sessions, dtype=bool)
    for launch in range(launches):
        before = random.random(sessions) < np.where(before, 0.5, noise.throttle)
        hot[:, launch] = before
    return hot


def heat(random: np.random.Generator, hot: np.ndarray) -> np.ndarray:
    """Return (sessions, launches, RUNS): what throttled runs take longer, as logarithms."""
    by = np.log1p(random.uniform(0.2, 0.6, hot.shape)) * hot
    late = random.random(hot.shape) < 0.5
    start = np.where(late, random.integers(0, RUNS, hot.shape), 0)
    return np.where(np.arange(RUNS) >= start[..., None], by[..., None], 0.0)


def sessions(policy: GatePolicy, change: float, noise: Noise, seed: int) -> Iterator[PairedGate]:
    """Yield decided gates, without end."""
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
    """Return what became of ``count`` sessions in which ``change`` is true."""
    return Outcome.of(list(islice(sessions(policy, change, noise, seed), count)))


def table(policy: GatePolicy, count: int, noises: dict[str, Noise]) -> None:
    """Print a row a true change, a column a kind of noise."""
    print(f"| true change | {' | '.join(noises)} |\n|{'---|' * (len(noises) + 1)}")
    for change in CHANGES:
        cells = [cell(simulate(policy, change, noise, count)) for noise in noises.values()]
        print(f"| {change:+.0%} | {' | '.join(cells)} |", flush=True)


def cell(outcome: Outcome) -> str:
    """Return pass / regressed / inconclusive (+ invalid, improved) %; valid and attempted pairs."""
    share = {verdict: f"{value:.3g}" for verdict, value in outcome.verdicts.items()}
    text = f"{share[Verdict.PASS]} / {share[Verdict.REGRESSED]} / {share[Verdict.INCONCLUSIVE]}"
    for verdict in (Verdict.INVALID, Verdict.IMPROVED):
        if outcome.verdicts[verdict]:
            text += f" (+{share[verdict]} {verdict})"
    return f"{text}; {outcome.valid_pairs:.1f} of {outcome.attempted:.1f}"


@dataclass(frozen=True)
class LevelsPolicy(GatePolicy):
    """A policy with a one-sided risk of its own at each look."""

    levels: tuple[float, ...] = ()

    def confidence_at(self, look: int) -> float:
        """Return the two-sided confidence at a look."""
        return 1 - 2 * self.levels[look]


VARIANTS = {
    "10, 16, 24 (the gate)": GatePolicy(),
    "10, 16, 24 at 0.30, 0.37, 0.55 %": LevelsPolicy(levels=(0.003, 0.0037, 0.0055)),
    "10, 13, 16, 20, 24 at 0.3 % and 0.4 %": LevelsPolicy(
        looks=(10, 13, 16, 20, 24), levels=(0.003, 0.003, 0.003, 0.003, 0.004)
    ),
    "10, 12, … 24 at 0.2 to 0.4 %": LevelsPolicy(
        looks=(10, 12, 14, 16, 18, 20, 22, 24), levels=(0.003, *[0.002] * 6, 0.004)
    ),
}


def false_alarms(policy: GatePolicy, count: int = 200_000) -> float:
    """Return the joint risk in % that a lower limit is above 0 at any look, nothing changed.

    Whatever the (symmetric, continuous) distribution, as ranks and signs do not depend on it: an
    interval at one look excludes 0 if as many Walsh averages are on one side, which is to say if
    the rank sum of the negative ones is at most what the level leaves out.
    """
    random = np.random.default_rng(3)
    found, done = 0, 0
    while done < count:
        d = random.normal(size=(20_000, policy.looks[-1]))
        alarm = np.zeros(len(d), dtype=bool)
        for look, n in enumerate(policy.looks):
            ranks = np.abs(d[:, :n]).argsort(axis=1).argsort(axis=1) + 1
            tail = (1 - policy.confidence_at(look)) / 2
            alarm |= (ranks * (d[:, :n] < 0)).sum(axis=1) <= left_out(n, tail)
        found, done = found + int(alarm.sum()), done + len(d)
    return 100 * found / done


def left_out(n: int, tail: float) -> int:
    """Return the largest rank sum whose probability is at most ``tail``."""
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1
    for rank in range(1, n + 1):
        counts[rank:] += counts[:-rank].copy()
    return int(np.searchsorted(np.cumsum(counts) / 2**n, tail * (1 + 1e-12), side="right")) - 1


def variants(count: int) -> None:
    """Print what other looks, levels and rules would have decided."""
    print(
        "| looks and levels | joint risk % | +0 %, 1.5 % sd | +3 %, 1.5 % sd | +2 %, 3 % sd"
        " | +5 %, 3 % sd |\n|---|---|---|---|---|---|"
    )
    for title, policy in VARIANTS.items():
        noisy = Noise(launch_sd=0.03)
        cells = [(0.0, Noise()), (0.03, Noise()), (0.02, noisy), (0.05, noisy)]
        shown = [cell(simulate(policy, change, noise, count, seed=5)) for change, noise in cells]
        print(f"| {title} | {false_alarms(policy):.2f} | {' | '.join(shown)} |", flush=True)
    print("\nA candidate with slow launches (+30 %), and how many more of them deny it a pass\n")
    print("| slow launches | 2 more | 3 more (the gate) | 4 more |\n|---|---|---|---|")
    for title, noise in (
        ("none, a silent phone", Noise(evidence=0.0)),
        ("one in ten", Noise(slow_share=0.1)),
        ("one in five", Noise(slow_share=0.2)),
    ):
        policies = [GatePolicy(slow_excess=excess) for excess in (2, 3, 4)]
        shown = [cell(simulate(policy, 0.0, noise, count, seed=6)) for policy in policies]
        print(f"| {title} | {' | '.join(shown)} |", flush=True)


def main() -> None:
    """Print the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sessions", type=int, nargs="?", default=2000)
    parser.add_argument("--variants", action="store_true", help="other looks, levels and rules")
    arguments = parser.parse_args()
    count = arguments.sessions
    if arguments.variants:
        return variants(count)
    print(f"{count} sessions a cell: pass / regressed / inconclusive %; valid of attempted pairs\n")
    table(GatePolicy(), count, COLUMNS)


if __name__ == "__main__":
    sys.exit(main())
