"""Judging two numbers of instructions. They are exact: a tolerance is all that it takes."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.errors import UsageError

DEFAULT_TOLERANCE = 0.005


@dataclass(frozen=True)
class InstructionVerdict:
    """What two exact numbers say: ``verdict`` is pass, improved or regressed."""

    verdict: str
    baseline: int
    candidate: int
    tolerance: float

    @property
    def change(self) -> float:
        """What the candidate executes more, a share: candidate / baseline − 1."""
        return self.candidate / self.baseline - 1


def judge_instructions(baseline: int, candidate: int, tolerance: float) -> InstructionVerdict:
    """Judge the instructions of one inference of each model.

    Regressed is a ``candidate`` that exceeds ``baseline`` by more than ``tolerance``, a share;
    improved one that is as much below. Raises UsageError for a count that is not positive, or a
    tolerance that is not a share below 1.
    """
    if baseline <= 0 or candidate <= 0:
        raise UsageError(f"a count of {min(baseline, candidate)} instructions cannot be judged")
    if not 0 <= tolerance < 1:
        raise UsageError(f"a tolerance is a share from 0 to below 1, not {tolerance}")
    allowed = tolerance * baseline
    if candidate - baseline > allowed:
        verdict = "regressed"
    else:
        verdict = "improved" if baseline - candidate > allowed else "pass"
    return InstructionVerdict(verdict, baseline, candidate, tolerance)
