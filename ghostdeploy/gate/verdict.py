"""What a gate may say."""

from __future__ import annotations

from enum import Enum


class Verdict(str, Enum):
    """Equal to, and written as, its plain word.

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
        """0 good, 1 the check said no, 3 could not measure: never 0 for what is not known."""
        return _EXIT_CODES[self.value]


_EXIT_CODES = {"pass": 0, "improved": 0, "regressed": 1, "inconclusive": 3, "invalid": 3}
