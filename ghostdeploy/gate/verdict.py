"""What a gate may say."""

from __future__ import annotations

from enum import Enum


class Verdict(str, Enum):
    """A verdict, equal to, and written as, its plain word.

    ``inconclusive`` measured well and still cannot tell; ``invalid`` did not measure well.
    """

    PASS = "pass"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"

    def __str__(self) -> str:
        return self.value

    @property
    def exit_code(self) -> int:
        """The process's exit code: 0 good, 1 the check said no, 3 not known (never 0)."""
        return _EXIT_CODES[self.value]


_EXIT_CODES = {"pass": 0, "improved": 0, "regressed": 1, "inconclusive": 3, "invalid": 3}
