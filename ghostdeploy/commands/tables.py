"""A table of the paper as a comparison: its rows' networks in its order, and why others lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.models import list_table, read_table
from ghostdeploy.commands.targets import SIDES, Network, SpecDefaults, parse_network
from ghostdeploy.errors import UsageError
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.paper_rows import BACKBONE_TABLES, Preset


@dataclass(frozen=True)
class TablePlan:
    """What is measured for a table of the paper.

    ``names`` are the paper's for ``models``; rows of one network share a name. ``lacking`` says of
    each other row why it is not there.
    """

    table: str
    names: tuple[str, ...]
    models: tuple[Network, ...]
    lacking: tuple[str, ...]

    @property
    def title(self) -> str:
        """What a report is called."""
        return f"Table {self.table} of the paper"


def plan_table(table: str, defaults: SpecDefaults) -> TablePlan:
    """Return the networks of a table, at the paper's 224×224 unless ``defaults`` say another size.

    Raises UsageError for a table that the paper does not have, one of which no row is a network of
    its own, and ``defaults`` that a table's rows say themselves.
    """
    said = (defaults.width, defaults.variant, bool(defaults.changes))
    if said != (SpecDefaults.width, SpecDefaults.variant, False):
        raise UsageError("--table says itself which widths, variants and options its rows have")
    if table in BACKBONE_TABLES:
        models = ", ".join(dict.fromkeys(row.model for row in list_table(table) if row.model))
        raise UsageError(
            f"Table {table} is of detectors or segmenters, which the zoo lacks; their backbones are"
            f" {models}"
        )
    named: dict[Network, list[str]] = {}
    lacking: dict[str, str] = {}
    sized = replace(defaults, resolution=defaults.resolution or SIDES)
    for name, network, _ in read_table(table):
        if isinstance(network, Preset):
            named.setdefault(_sized(network.spec, sized), []).append(name)
        elif network.model:
            named.setdefault(parse_network(network.model, sized), []).append(name)
        else:
            lacking[name] = network.why
    if not named:
        raise UsageError(
            f"nothing of Table {table} can be measured: {next(iter(lacking.values()))}"
        )
    return TablePlan(
        table=table,
        names=tuple(" = ".join(names) for names in named.values()),
        models=tuple(named),
        lacking=tuple(f"{name}: {why}" for name, why in lacking.items()),
    )


def request_rows(
    plan: TablePlan, make: Callable[[Network], ExportRequest]
) -> tuple[TablePlan, list[ExportRequest]]:
    """Return the requests that ``make`` makes of the plan's models, and the plan of these rows.

    A row of which it makes none is ``lacking``. Raises its UsageError where that holds for all.
    """
    made: dict[int, ExportRequest] = {}
    refused: dict[int, UsageError] = {}
    for number, model in enumerate(plan.models):
        try:
            made[number] = make(model)
        except UsageError as error:
            refused[number] = error
    if not made:
        raise refused[0]
    kept = replace(
        plan,
        names=tuple(plan.names[number] for number in made),
        models=tuple(plan.models[number] for number in made),
        lacking=(*plan.lacking, *(f"{plan.names[n]}: {why}" for n, why in refused.items())),
    )
    return kept, list(made.values())


def _sized(spec: ModelSpec, defaults: SpecDefaults) -> ModelSpec:
    return replace(
        spec,
        resolution=defaults.resolution or spec.resolution,
        num_classes=spec.num_classes if defaults.num_classes is None else defaults.num_classes,
    )
