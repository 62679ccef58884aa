"""The models of the zoo, what each costs, and what the paper says of it."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy import paper_data, zoo
from ghostdeploy.schema import ModelSpec


@dataclass(frozen=True)
class PaperSays:
    """The paper's figures for a model; None where it prints none. ``source`` names the tables."""

    params_m: float | None = None
    macs_m: float | None = None
    top1: float | None = None
    latency_ms: float | None = None
    source: str = ""


@dataclass(frozen=True)
class ModelRow:
    """One model of the zoo: its cost as counted by this program, and the paper's figures."""

    name: str
    arch: str
    variant: str
    width: float
    params: int
    macs: int
    paper: PaperSays


def list_models() -> list[ModelRow]:
    """List every architecture's variants, at every width of which the paper speaks."""
    from ghostdeploy.zoo.cost import count_cost

    rows = []
    for arch, entry in zoo.MODELS.items():
        for variant in entry.variants:
            for width in entry.paper:
                spec = zoo.make_spec(arch, width=width, variant=variant)
                cost = count_cost(spec)
                rows.append(
                    ModelRow(
                        spec.name,
                        arch,
                        variant,
                        width,
                        cost.params,
                        cost.macs,
                        paper_says(spec),
                    )
                )
    return rows


def paper_says(spec: ModelSpec) -> PaperSays:
    """Return the paper's figures for ``spec``, each from the first of its rows that has it.

    An ablation, or another input size, is not the model that the paper measured: nothing then.
    """
    entry = zoo.MODELS[spec.arch]
    if spec.resolution != (224, 224) or spec.variant not in entry.variants:
        return PaperSays()
    sources = entry.paper.get(spec.width, ())
    rows = [paper_data.find_row(r.table, r.model, r.variant) for r in sources]
    points = [p for p in sources if p.figure_ms is not None]

    def first(field: str) -> float | None:
        return next((v for v in (getattr(row, field) for row in rows) if v is not None), None)

    latency = first("latency_ms")
    where = [f"Table {row.table}" for row in rows]
    if latency is None and points:
        latency = points[0].figure_ms
        where.append("Figure 2 (±0.2 ms)")
    return PaperSays(
        first("params_m"), first("flops_m"), first("top1"), latency, ", ".join(dict.fromkeys(where))
    )
