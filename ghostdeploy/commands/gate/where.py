"""Where a model got slower: the operators' times side by side, and what changed in the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ghostdeploy.commands.lint import diff_text, lint_files
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.gate.outcome import OpDifference, Slowdown
from ghostdeploy.runners import Runner
from ghostdeploy.schema import BenchParams, OpTime

MOST_OPS = 20


def where(runner: Runner, params: BenchParams, baseline: Path, candidate: Path) -> Slowdown:
    """What can be told; a reason stands in for what cannot. Raises nothing of ours."""
    ops, why = _profiles(runner, params, baseline, candidate)
    return Slowdown(ops, why, graphs(baseline, candidate))


def _profiles(
    runner: Runner, params: BenchParams, baseline: Path, candidate: Path
) -> tuple[tuple[OpDifference, ...], str]:
    profiles = []
    for path in (baseline, candidate):
        try:
            launch = runner.launch(path, replace(params, profile=True))
        except GhostdeployError as error:
            return (), str(error)
        if not launch.profile:
            return (), (
                f"{params.runtime} gives no times of operators;"
                " --benchmark-model PROGRAM or a phone does"
            )
        profiles.append(launch.profile)
    return differences(*profiles), ""


def differences(
    baseline: Sequence[OpTime], candidate: Sequence[OpTime]
) -> tuple[OpDifference, ...]:
    """By kind of operator, all its nodes together, the largest change first."""
    before, after = _by_op(baseline), _by_op(candidate)
    found = [OpDifference(op, before.get(op), after.get(op)) for op in {**before, **after}]
    return tuple(sorted(found, key=lambda d: (-abs(d.change_ms), d.op))[:MOST_OPS])


def _by_op(profile: Sequence[OpTime]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for row in profile:
        totals[row.op] += row.ms
    return dict(totals)


def graphs(baseline: Path, candidate: Path) -> str:
    """The lint's difference of the two; why not, where there is none."""
    try:
        return diff_text(lint_files([baseline, candidate]), "table")
    except GhostdeployError as error:
        return f"the graphs cannot be compared: {error}\n"
