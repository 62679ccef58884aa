"""What the report of a comparison of latencies is made from."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import Comparison


@dataclass(frozen=True)
class Report:
    """What all formats show. The first comparison is the ratios' base.

    Raises UsageError without a comparison.
    """

    title: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.comparisons:
            raise UsageError("a report needs at least one benchmark record")
