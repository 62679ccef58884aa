"""The models of the zoo, what each costs, and what the paper says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ghostdeploy import paper_data, zoo
from ghostdeploy.commands.export import form_of
from ghostdeploy.schema import Artifact, ExportOptions, ModelSpec
from ghostdeploy.zoo.cost import COUNTED


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
    rows = []
    for arch, entry in zoo.MODELS.items():
        for variant in entry.variants:
            for width in entry.paper:
                if not entry.results(variant, width):
                    continue
                spec = zoo.make_spec(arch, width=width, variant=variant)
                cost = COUNTED[spec.name]
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


def paper_says_of(artifact: Artifact) -> PaperSays:
    """Return the paper's figures for a file in the form that the paper measured, else none.

    It measured floats in TFLite, with the operators that it draws: neither a rewritten form, nor a
    plain conversion, which is another function, nor a graph that takes or gives anything else.
    """
    spec, export = artifact.zoo_spec, artifact.export
    plain = replace(export, without=(), speed=(), labels=()) == ExportOptions()
    drawn = plain and not form_of(export).title
    if spec is None or artifact.format != "tflite" or artifact.precision != "fp32" or not drawn:
        return PaperSays()
    return paper_says(spec)


def paper_says(spec: ModelSpec) -> PaperSays:
    """Return the paper's figures for ``spec``, each from the first of its rows that has it.

    An ablation, another input size or another number of classes is not the model that the paper
    measured: nothing then.
    """
    entry = zoo.MODELS[spec.arch]
    asked = (spec.resolution, spec.num_classes)
    if asked != ((224, 224), 1000) or spec.variant not in entry.variants:
        return PaperSays()
    sources = entry.results(spec.variant, spec.width)
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
