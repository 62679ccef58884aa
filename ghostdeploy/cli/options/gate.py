"""What a gate compares, by which policy and budgets, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

from ghostdeploy.cli.options.arguments import folder, option
from ghostdeploy.cli.options.types import Limit, Looks, Share
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.decision import GatePolicy
    from ghostdeploy.decision.budgets import Budget

NO_DELTA = 0.9999  # a policy wants its tolerance below delta, which instructions have no use for


@dataclass(frozen=True)
class QueueArguments:
    """How long to queue for the device, and where its baselines are."""

    HEADING: ClassVar[str] = "Queue and baselines"

    wait: float = option(
        "--wait",
        default=60.0,
        show_default=True,
        help="Queue at most so many minutes for the device.",
    )
    baselines: Path = folder("--baselines", "reports/baselines", "Folder of accepted baselines.")

    @property
    def wait_s(self) -> float:
        """The same in seconds. Raises UsageError for a time that cannot be."""
        if not 0 <= self.wait <= 1e5:
            raise UsageError(f"--wait takes minutes from 0 on, not {self.wait:g}")
        return 60.0 * self.wait


@dataclass(frozen=True)
class BudgetArguments:
    """Absolute limits on the candidate."""

    HEADING: ClassVar[str] = "Budgets"

    max_latency_ms: float | None = option(
        "--max-latency-ms", type=float, metavar="MS", help="Largest latency of the candidate."
    )
    max_size_mb: float | None = option(
        "--max-size-mb", type=float, metavar="MB", help="Largest size of the candidate's file."
    )
    max_peak_mem_mb: float | None = option(
        "--max-peak-mem-mb", type=float, metavar="MB", help="Largest memory of the candidate."
    )
    max_ratio: tuple[tuple[str, float], ...] = option(
        "--max-ratio",
        type=Limit(),
        multiple=True,
        metavar="NAME=LIMIT",
        help="Largest ratio of the candidate's latency to that of another model in the same"
        " session, e.g. GhostNet=1.25. May be repeated.",
    )

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The limits as budgets. Raises UsageError for one that is not above 0."""
        from ghostdeploy.decision.budgets import Budget

        limits = (
            ("latency_ms", self.max_latency_ms),
            ("size_mb", self.max_size_mb),
            ("peak_mem_mb", self.max_peak_mem_mb),
        )
        absolute = tuple(Budget(kind, limit) for kind, limit in limits if limit is not None)
        return absolute + tuple(Budget("ratio", limit, name) for name, limit in self.max_ratio)


@dataclass(frozen=True)
class PolicyArguments:
    """How much slower is too slow, and how sure a verdict must be."""

    HEADING: ClassVar[str] = "Policy of the verdict"

    tolerance: float = option(
        "--tolerance",
        type=Share(),
        default="2%",
        show_default=True,
        help="Share by which the candidate may be slower without having regressed; for"
        " instructions 0.5% by default.",
    )
    delta: float = option(
        "--delta",
        type=Share(),
        default="5%",
        show_default=True,
        help="Smallest slowdown that a pass must rule out.",
    )
    alpha: float = option(
        "--alpha",
        type=Share(),
        default="1%",
        show_default=True,
        help="Risk of a false alarm, over all looks together.",
    )
    screen: float = option(
        "--screen",
        type=Share(),
        default="10%",
        show_default=True,
        help="A launch that is farther than this from its own model's median spoils its pair.",
    )
    looks: tuple[int, ...] = option(
        "--looks",
        type=Looks(),
        default="10,16,24",
        show_default=True,
        metavar="PAIRS",
        help="Numbers of valid pairs of launches after which a verdict is tried.",
    )
    max_pairs: int = option(
        "--max-pairs",
        default=36,
        show_default=True,
        help="Most pairs of launches that are tried, valid or not.",
    )

    def for_instructions(self, given: frozenset[str]) -> PolicyArguments:
        """Return the arguments for a device that counts instructions.

        They are exact: the tolerance decides alone, may be any, and has another default, unless it
        is among the options that were ``given``.
        """
        from ghostdeploy.decision.instructions import DEFAULT_TOLERANCE

        tolerance = self.tolerance if "tolerance" in given else DEFAULT_TOLERANCE
        return replace(self, tolerance=tolerance, delta=NO_DELTA)

    @property
    def policy(self) -> GatePolicy:
        """The policy. Raises UsageError for values that make no sense together."""
        from ghostdeploy.decision import GatePolicy

        return GatePolicy(
            tolerance=self.tolerance,
            delta=self.delta,
            alpha=self.alpha,
            looks=self.looks,
            max_pairs=self.max_pairs,
            screen=self.screen,
        )


@dataclass(frozen=True)
class VerdictArguments:
    """What is written besides the verdict, and how often it is tried for."""

    HEADING: ClassVar[str] = "History and files"

    retry_invalid: int = option(
        "--retry-invalid",
        type=click.IntRange(0, 10),
        default=0,
        show_default=True,
        help="Measure again, so many times, while the verdict is invalid.",
    )
    history: Path = folder(
        "--history", "reports/gate-history.jsonl", "File to which every gate adds a line."
    )
    junit: Path | None = option(
        "--junit", type=Path, metavar="FILE", help="Write the verdict as JUnit XML."
    )
    markdown: Path | None = option(
        "--markdown", type=Path, metavar="FILE", help="Write a summary in Markdown."
    )
    badge: Path | None = option(
        "--badge", type=Path, metavar="FILE", help="Write a badge as JSON for shields.io."
    )
