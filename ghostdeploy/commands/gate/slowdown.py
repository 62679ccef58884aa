"""Slowdown a model got slower: the operators' times side by side, and what changed in the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ghostdeploy.commands.inputs import settle_params
from ghostdeploy.commands.lint import diff_text, lint_files
from ghostdeploy.decision.outcome import OpDifference, Slowdown
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.runners import Runner
from ghostdeploy.schema import BenchParams, OpTime

MOST_OPS = 20


def find_slowdown(runner: Runner, params: BenchParams, baseline: Path, candidate: Path) -> Slowdown:
    """Tell where the candidate got slower; a reason stands in for what cannot be told.

    Raises no GhostdeployError.
    """
    ops, why = _profile_both(runner, params, baseline, candidate)
    return Slowdown(ops, why, compare_graphs(baseline, candidate))


def _profile_both(
    runner: Runner, params: BenchParams, baseline: Path, candidate: Path
) -> tuple[tuple[OpDifference, ...], str]:
    profiles = []
    for path in (baseline, candidate):
        try:
            launch = runner.launch(path, replace(settle_params(path, params), profile=True))
        except GhostdeployError as error:
            return (), str(error)
        if not launch.profile:
            return (), (
                f"{params.runtime} gives no times of operators;"
                " --benchmark-model PROGRAM or a phone does"
            )
        profiles.append(launch.profile)
    before, after = (sum(row.ms for row in profile) for profile in profiles)
    if after <= before:
        return (), (
            "the one launch of each that was profiled does not show it: the operators took"
            f" {before:.3g} ms of the baseline and {after:.3g} ms of the candidate"
        )
    return compare_operators(*profiles), ""


def compare_operators(
    baseline: Sequence[OpTime], candidate: Sequence[OpTime]
) -> tuple[OpDifference, ...]:
    """Return the change of each kind of operator, all its nodes together, the largest first."""
    before, after = _by_op(baseline), _by_op(candidate)
    found = [OpDifference(op, before.get(op), after.get(op)) for op in {**before, **after}]
    return tuple(sorted(found, key=lambda d: (-abs(d.change_ms), d.op))[:MOST_OPS])


def _by_op(profile: Sequence[OpTime]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for row in profile:
        totals[row.op] += row.ms
    return dict(totals)


def compare_graphs(baseline: Path, candidate: Path) -> str:
    """Return the lint's difference of the two graphs, or why there is none."""
    try:
        return diff_text(lint_files([baseline, candidate]), "table")
    except GhostdeployError as error:
        return f"the graphs cannot be compared: {error}\n"
