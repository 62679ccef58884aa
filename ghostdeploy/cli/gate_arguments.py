"""The arguments of ``ghostdeploy gate`` and ``gate accept``, and the requests they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import argument, group, json_flag, option
from ghostdeploy.cli.options.completions import complete_baselines, complete_targets
from ghostdeploy.cli.options.gate import (
    BudgetArguments,
    PolicyArguments,
    QueueArguments,
    VerdictArguments,
)
from ghostdeploy.cli.options.lowering import LoweringArguments
from ghostdeploy.cli.options.measuring import LaunchArguments
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.gate.accept import AcceptRequest
    from ghostdeploy.commands.gate.request import CalibrationRequest, GateRequest, NamedModel
    from ghostdeploy.decision.budgets import Budget

NO_BASELINE = "none"  # as a --baseline: budgets alone


@dataclass(frozen=True)
class GateArguments:
    """The arguments of ``ghostdeploy gate``."""

    baseline: str = option(
        "--baseline",
        shell_complete=complete_baselines,
        default="",
        metavar="FILE",
        help="Model file, or accepted baseline (.json), to hold the candidate against; none for"
        " budgets alone.",
    )
    candidate: str = option(
        "--candidate",
        shell_complete=complete_targets,
        default="",
        metavar="FILE|MODEL",
        help="Model that may have become slower.",
    )
    calibrate: bool = option(
        "--calibrate",
        is_flag=True,
        help="Measure one model against itself, to learn what differences the device resolves.",
    )
    suite: Path | None = option(
        "--suite", type=Path, metavar="FILE", help="Run the many gates of this TOML file."
    )
    time_budget: float = option(
        "--time-budget",
        default=0.0,
        metavar="MIN",
        help="Minutes that the whole suite may take; no limit by default.",
    )
    name: str = option(
        "--name", default="", help="Name of this gate, in reports and in the history."
    )
    budgets: BudgetArguments = group(BudgetArguments)
    judging: PolicyArguments = group(PolicyArguments)
    output: VerdictArguments = group(VerdictArguments)
    queue: QueueArguments = group(QueueArguments)
    network: NetworkArguments = group(NetworkArguments)
    launch: LaunchArguments = group(LaunchArguments)
    lowering: LoweringArguments = group(LoweringArguments)
    as_json: bool = json_flag()

    def request(self, given: frozenset[str]) -> GateRequest:
        """Return the request; ``given`` are the names of the options that the user gave.

        Raises UsageError for a missing candidate and for values that make no sense.
        """
        from ghostdeploy.commands.gate.request import GateRequest

        if not self.candidate:
            raise UsageError("a gate needs a --candidate FILE or MODEL")
        alone, budgets = self.baseline == NO_BASELINE, self.budgets.budgets
        exact = self.launch.on.counts_instructions
        judging = self.judging.for_instructions(given) if exact else self.judging
        return GateRequest(
            candidate=self._model(self.candidate),
            device=self.launch.on,
            params=self.launch.params(),
            baseline=Path(self.baseline) if self.baseline and not alone else None,
            budgets_alone=alone,
            policy=judging.policy,
            budgets=budgets,
            others=tuple(self._other(budget) for budget in budgets if budget.against),
            baselines=self.queue.baselines,
            given=given,
            name=self.name,
            out=self.launch.records,
            wait_s=self.queue.wait_s,
            adb=self.launch.phone.adb,
        )

    def calibration_request(self) -> CalibrationRequest:
        """Return the request to learn what the device resolves.

        Raises UsageError for values that make no sense.
        """
        from ghostdeploy.commands.gate.request import CalibrationRequest

        model = self.baseline or self.candidate
        accepted = model.endswith(".json")
        return CalibrationRequest(
            device=self.launch.on,
            params=self.launch.params(),
            policy=self.judging.policy,
            model=self._model(model) if model and not accepted else None,
            baseline=Path(model) if accepted else None,
            baselines=self.queue.baselines,
            out=self.launch.records,
            wait_s=self.queue.wait_s,
            adb=self.launch.phone.adb,
        )

    def _model(self, name: str) -> NamedModel:
        return _named_model(name, name, self.network, self.lowering)

    def _other(self, budget: Budget) -> NamedModel:
        """Find the model of a ratio: as --candidate takes it, or by its title, as GhostNet."""
        from ghostdeploy import zoo

        titles = {entry.title.lower(): arch for arch, entry in zoo.MODELS.items()}
        text = titles.get(budget.against.lower(), budget.against)
        return _named_model(budget.against, text, self.network, self.lowering)


@dataclass(frozen=True)
class AcceptArguments:
    """The arguments of ``ghostdeploy gate accept``."""

    model: str = argument(metavar="FILE|MODEL", shell_complete=complete_targets)
    name: str = option(
        "--name", default="", help="Name of the baseline; the model's own by default."
    )
    url: str = option(
        "--url", default="", help="Where others find the file, if it is not in the repository."
    )
    reason: str = option(
        "--reason", default="", help="Why it is accepted, for those who read the baseline later."
    )
    queue: QueueArguments = group(QueueArguments)
    network: NetworkArguments = group(NetworkArguments)
    launch: LaunchArguments = group(LaunchArguments)
    lowering: LoweringArguments = group(LoweringArguments)
    as_json: bool = json_flag()

    def request(self) -> AcceptRequest:
        """Return the request. Raises UsageError for values that make no sense."""
        from ghostdeploy.commands.gate.accept import AcceptRequest

        return AcceptRequest(
            model=_named_model(self.model, self.model, self.network, self.lowering),
            device=self.launch.on,
            params=self.launch.params(),
            name=self.name,
            url=self.url,
            reason=self.reason,
            root=self.queue.baselines,
            wait_s=self.queue.wait_s,
            adb=self.launch.phone.adb,
        )


def _named_model(
    name: str, text: str, network: NetworkArguments, lowering: LoweringArguments
) -> NamedModel:
    from ghostdeploy.commands.gate.request import NamedModel
    from ghostdeploy.commands.targets import parse_target

    return NamedModel(
        name, lowering.source(parse_target(text, network.defaults_for()), network, ())
    )
