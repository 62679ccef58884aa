"""What a gate decides by, and whether that can ever decide."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise
from statistics import NormalDist

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.checks import check_range

MOST_PAIRS = 1000
CAUGHT = 0.9  # the share of changes of just the resolution's size that a gate must catch
SIGNED_RANK_EFFICIENCY = 3 / math.pi  # of Hodges-Lehmann's estimate on normal values

# the fields' types, as Python writes them -> what may stand there, and its name
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "float": ((int, float), "a number"),
    "int": ((int,), "a whole number"),
}


@dataclass(frozen=True)
class GatePolicy:
    """What decides. Shares are of the baseline's latency: 0.02 is 2 %. Defaults are by simulation.

    ``tolerance``: what no lower limit may exceed. ``delta``: what a pass must rule out.
    ``alpha``: the one-sided risk of a false alarm in all ``looks``, each a number of valid pairs.
    ``screen``: a launch farther than this from its own arm's median spoils its pair.
    ``max_noise``: the launches' robust standard deviation above which nothing is decided.
    ``slow_excess``: so many more slow launches than the baseline has, and there is no pass.
    ``arm_excess``: so many more outliers of one arm than of the other are more than chance, if a
    sign test at ``alpha`` says so too.

    Raises UsageError for values that make no sense together, or could never decide.
    """

    tolerance: float = 0.02
    delta: float = 0.05
    alpha: float = 0.01
    looks: tuple[int, ...] = (10, 16, 24)
    max_pairs: int = 36
    screen: float = 0.10
    max_noise: float = 0.05
    slow_excess: int = 3
    arm_excess: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.looks, (tuple, list)):
            raise UsageError(f"looks must be numbers of pairs such as 10,16,24, not {self.looks!r}")
        object.__setattr__(self, "looks", tuple(self.looks))
        for field in fields(self):
            value, kind = getattr(self, field.name), _KINDS.get(str(field.type))
            if kind and (isinstance(value, bool) or not isinstance(value, kind[0])):
                raise UsageError(f"{field.name} must be {kind[1]}, not {value!r}")
            if kind and not math.isfinite(value):
                raise UsageError(f"{field.name} must be {kind[1]}, not {value}")
        self._check_shares()
        self._check_looks()

    def _check_shares(self) -> None:
        if not 0 <= self.tolerance < self.delta < 1:
            raise UsageError(
                "a gate needs 0 <= tolerance < delta < 1, not"
                f" tolerance {self.tolerance:g} and delta {self.delta:g}"
            )
        if not 0 < self.alpha < 0.5:
            raise UsageError(f"alpha must be above 0 and below 0.5, not {self.alpha:g}")
        for name in ("screen", "max_noise"):
            if not 0 < getattr(self, name) < 1:
                share = getattr(self, name)
                raise UsageError(f"{name} must be above 0 and below 1, not {share:g}")
        for name in ("slow_excess", "arm_excess"):
            check_range(name, getattr(self, name), 1)

    def _check_looks(self) -> None:
        looks = self.looks
        if not looks or any(type(n) is not int or n < 1 for n in looks):
            raise UsageError(f"looks must be numbers of pairs such as 10,16,24, not {looks}")
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise UsageError(f"looks must increase, not {','.join(map(str, looks))}")
        if looks[0] < self.fewest_pairs:
            raise UsageError(
                f"{looks[0]} pairs can never decide at alpha {self.alpha:g} in {len(looks)} looks:"
                f" the first look needs {self.fewest_pairs}"
            )
        if not looks[-1] <= self.max_pairs <= MOST_PAIRS:
            raise UsageError(
                f"max_pairs must be {looks[-1]} (the last look) to {MOST_PAIRS},"
                f" not {self.max_pairs}"
            )

    @property
    def look_alpha(self) -> float:
        """The one-sided risk at each look: Bonferroni's equal share of ``alpha``."""
        return self.alpha / len(self.looks)

    @property
    def confidence(self) -> float:
        """The two-sided confidence of the interval at each look."""
        return 1 - 2 * self.look_alpha

    def confidence_at(self, look: int) -> float:
        """Return the confidence at a look, counted from 0: here the same at every one.

        A rule that spends its risk unevenly overrides this, as one of
        ``benchmarks/gate_simulation.py`` does.
        """
        return self.confidence

    @property
    def fewest_pairs(self) -> int:
        """The least number of pairs that can be evidence: 2⁻ⁿ, all of one sign, ≤ look_alpha."""
        return math.ceil(-math.log2(self.look_alpha) - 1e-9)

    def resolution(self, noise: float) -> float:
        """Return the smallest change beyond the tolerance that is caught nine times in ten.

        A share, as ``noise`` is, the launches' standard deviation. A pair's log ratio has √2 of it,
        and the estimate at the last look that over √(n·3/π): Hodges-Lehmann's has 3/π of the mean's
        efficiency on normal values (Hodges & Lehmann 1956, Ann. Math. Statist. 27). A limit lies
        ``look_alpha``'s normal quantile from the estimate, and the tenth that is missed one of its
        own further.
        """
        error = noise * math.sqrt(2 / (self.looks[-1] * SIGNED_RANK_EFFICIENCY))
        normal = NormalDist()
        return error * (normal.inv_cdf(1 - self.look_alpha) + normal.inv_cdf(CAUGHT))

    def can_decide(self, noise: float) -> bool:
        """Tell whether a change of ``delta`` is caught nine times in ten where launches vary so."""
        return noise <= self.max_noise and self.tolerance + self.resolution(noise) <= self.delta
