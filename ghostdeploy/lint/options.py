"""What a caller may ask of the rules beyond their defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ghostdeploy.errors import UsageError


@dataclass(frozen=True)
class LintOptions:
    """``budget_mb`` (10⁶ bytes): what weights and live activations together may take.

    Raises UsageError for a budget that is negative.
    """

    budget_mb: float | None = None

    def __post_init__(self) -> None:
        if self.budget_mb is not None and not (
            math.isfinite(self.budget_mb) and self.budget_mb >= 0
        ):
            raise UsageError(f"a memory budget is a number of MB from 0 up, not {self.budget_mb}")
