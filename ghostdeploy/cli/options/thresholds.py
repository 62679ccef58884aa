"""How much a file may lose against its original before a command ends with exit code 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.types import Share
from ghostdeploy.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from ghostdeploy.decision.thresholds import Thresholds, ThresholdVerdict

LIMITS = "Limits for CI"


@dataclass(frozen=True)
class ThresholdArguments:
    """Limits for CI: what was measured is printed and kept all the same."""

    HEADING: ClassVar[str] = LIMITS

    min_snr: float | None = option(
        "--min-snr",
        type=float,
        metavar="DB",
        help="Exit with 1 where the outputs' signal-to-noise ratio against the original is lower.",
    )
    min_agreement: float | None = option(
        "--min-agreement",
        type=Share(),
        metavar="SHARE",
        help="Exit with 1 where fewer images keep their best class, e.g. 97% or 0.97.",
    )
    max_drop: float | None = option(
        "--max-drop",
        type=float,
        metavar="POINTS",
        help="Exit with 1 where top-1 on labelled images drops by more percentage points.",
    )

    @property
    def thresholds(self) -> Thresholds:
        """The same as what is judged by. Raises UsageError for values that cannot be."""
        from ghostdeploy.decision.thresholds import Thresholds

        return Thresholds(self.min_snr, self.min_agreement, self.max_drop)

    def checked(self, data: Path | None) -> Thresholds:
        """Return the limits. Raises UsageError for a drop without labelled images in ``data``."""
        if self.max_drop is not None and data is None:
            raise UsageError("--max-drop takes labelled images: a folder of each class in --data")
        return self.thresholds


def labelled_images() -> Path | None:
    """Make the field of ``--data`` for commands that make a file."""
    found: Path | None = option(
        "--data",
        type=Path,
        metavar="DIR",
        heading=LIMITS,
        help="Folder that holds a folder of images for each class: top-1 on them is compared with"
        " the original's.",
    )
    return found


def enforce(verdicts: Mapping[str, ThresholdVerdict]) -> None:
    """Raise CheckFailed, naming each limit that a file of ``verdicts`` does not keep."""
    said = [f"{name}: {', '.join(v.failures)}" for name, v in verdicts.items() if not v.passed]
    if said:
        raise CheckFailed("; ".join(said))
